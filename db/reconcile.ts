// Compares the three databases and, with --apply, mends what belongs to different moments: `node db/reconcile.ts --help`.
import type { DatabaseUrls, Differences } from './compare-databases.ts';
import { type Reconciled, reconcileDatabases } from './reconcile-databases.ts';

const USAGE = `Usage: node db/reconcile.ts [--apply [--remove-products] [--end-sessions]]

Says in what the databases named by AUTH_DATABASE_URL, JOBS_DATABASE_URL and PRODUCTS_DATABASE_URL do not belong to the
same moment, as after a restore. Stop the daemons first: what they are at would look like a difference.

  --apply            gives the next job a number that Products does not know
  --remove-products  also takes back the products of jobs that Jobs does not know
  --end-sessions     also ends all logins

Exit codes: 0 nothing (left) to do, 1 a database refused, 2 wrong usage, 3 there are differences, 78 an address is missing.
`;
const FLAGS = ['--apply', '--remove-products', '--end-sessions'];
const VARIABLES = { auth: 'AUTH_DATABASE_URL', jobs: 'JOBS_DATABASE_URL', products: 'PRODUCTS_DATABASE_URL' };
/** Jobs and owners that are named; of more there is a number. */
const MOST_NAMED = 20;

async function main(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const apply = args.includes('--apply');
  if (args.some((arg) => !FLAGS.includes(arg)) || (args.length > 0 && !apply)) {
    process.stderr.write(USAGE);
    return 2;
  }
  const missing = Object.values(VARIABLES).filter((variable) => !environment[variable]);
  if (missing.length > 0) {
    process.stderr.write(`${missing.join(', ')} must be set\n`);
    return 78;
  }
  const urls = Object.fromEntries(
    Object.entries(VARIABLES).map(([name, variable]) => [name, environment[variable]]),
  ) as DatabaseUrls;
  try {
    if (!apply) {
      const { compareDatabases } = await import('./compare-databases.ts');
      const differences = await compareDatabases(urls);
      process.stdout.write(`${describeDifferences(differences).join('\n')}\n`);
      return isSame(differences) ? 0 : 3;
    }
    const removeProducts = args.includes('--remove-products');
    const endSessions = args.includes('--end-sessions');
    const { before, done } = await reconcileDatabases(urls, { removeProducts, endSessions });
    process.stdout.write(`${[...describeDifferences(before), ...describeChanges(done)].join('\n')}\n`);
    const left = before.missingEffects.length + before.unknownOwners.length;
    return left > 0 || (before.unknownJobs.length > 0 && !removeProducts) ? 3 : 0;
  } catch (error) {
    process.stderr.write(`not reconciled: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

function isSame({ jobNumbersUsed, unknownJobs, missingEffects, unknownOwners }: Differences): boolean {
  return !jobNumbersUsed && unknownJobs.length + missingEffects.length + unknownOwners.length === 0;
}

function describeDifferences(differences: Differences): string[] {
  const { jobNumbersUsed, unknownJobs, missingEffects, unknownOwners } = differences;
  if (isSame(differences)) return ['the databases belong together'];
  const lines: string[] = [];
  if (jobNumbersUsed)
    lines.push(
      `the next job would be ${jobNumbersUsed.next}, and Products has effects of jobs up to ${jobNumbersUsed.highestUsed}: its items would be taken for done`,
    );
  if (unknownJobs.length > 0)
    lines.push(
      `Products is ahead: it has effects of ${unknownJobs.length} jobs that Jobs does not know, and ${sum(unknownJobs.map(({ products }) => products))} products of theirs: jobs ${named(unknownJobs.map(({ jobId }) => jobId))}`,
    );
  if (missingEffects.length > 0)
    lines.push(
      `Products is behind: it lacks ${sum(missingEffects.map(({ missing }) => missing))} effects of items that Jobs counts as done; load them again: jobs ${named(missingEffects.map(({ jobId }) => jobId))}`,
    );
  if (unknownOwners.length > 0)
    lines.push(
      `Auth is behind: it does not know ${unknownOwners.length} owners of ${sum(unknownOwners.map(({ jobs }) => jobs))} jobs and ${sum(unknownOwners.map(({ uploads }) => uploads))} uploads: ${named(unknownOwners.map(({ ownerId }) => ownerId))}`,
    );
  return lines;
}

function describeChanges({ nextJobId, productsRemoved, sessionsEnded }: Reconciled): string[] {
  return [
    ...(nextJobId === undefined ? [] : [`changed: the next job is ${nextJobId}`]),
    ...(productsRemoved === 0 ? [] : [`changed: ${productsRemoved} products removed`]),
    ...(sessionsEnded === 0 ? [] : [`changed: ${sessionsEnded} logins ended`]),
  ];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function named(ids: readonly (string | number)[]): string {
  const more = ids.length > MOST_NAMED ? ` and ${ids.length - MOST_NAMED} more` : '';
  return `${ids.slice(0, MOST_NAMED).join(', ')}${more}`;
}

process.exitCode = await main(process.argv.slice(2), process.env);
