// Applies migrations: `node db/migrate.ts all|auth|jobs|products`, with the addresses in *_DATABASE_URL.
import type { DatabaseDefinition } from './connection.ts';
import { migrate } from './migrate-database.ts';

const DATABASES = {
  auth: {
    variable: 'AUTH_DATABASE_URL',
    load: async () => (await import('./auth/index.ts')).authDatabase,
  },
  jobs: {
    variable: 'JOBS_DATABASE_URL',
    load: async () => (await import('./jobs/index.ts')).jobsDatabase,
  },
  products: {
    variable: 'PRODUCTS_DATABASE_URL',
    load: async () => (await import('./products/index.ts')).productsDatabase,
  },
} satisfies Record<string, { variable: string; load: () => Promise<DatabaseDefinition> }>;

type DatabaseName = keyof typeof DATABASES;

/** Exit codes: 0 done, 1 a database refused, 2 wrong usage, 78 (BSD's EX_CONFIG) an address is missing or malformed. */
async function main(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const names = namesOf(args);
  if (!names) {
    process.stderr.write('Usage: node db/migrate.ts all|auth|jobs|products\n');
    return 2;
  }
  const problems = names.flatMap((name) => addressProblem(DATABASES[name].variable, environment));
  if (problems.length > 0) {
    process.stderr.write(`${problems.join('\n')}\n`);
    return 78;
  }
  let exitCode = 0;
  // All of them, also after one has failed: one run names everything.
  for (const name of names) {
    const { variable, load } = DATABASES[name];
    try {
      const applied = await migrate(await load(), environment[variable] ?? '');
      process.stdout.write(
        `${name}: ${applied.length > 0 ? `applied ${applied.join(', ')}` : 'up to date'}\n`,
      );
    } catch (error) {
      process.stderr.write(`${name}: not migrated: ${describe(error)}\n`);
      exitCode = 1;
    }
  }
  return exitCode;
}

function namesOf(args: readonly string[]): DatabaseName[] | undefined {
  const all = Object.keys(DATABASES) as DatabaseName[];
  if (args.length !== 1) return undefined;
  if (args[0] === 'all') return all;
  const named = all.filter((name) => name === args[0]);
  return named.length > 0 ? named : undefined;
}

function addressProblem(variable: string, environment: NodeJS.ProcessEnv): string[] {
  const expected = `${variable} must be a URL such as postgresql://user:password@host:5432/database`;
  const raw = environment[variable];
  if (!raw) return [`${expected}; it is not set`];
  return /^postgres(ql)?:$/.test(URL.parse(raw)?.protocol ?? '')
    ? []
    : [`${expected}; its value is not shown`];
}

function describe(error: unknown): string {
  if (error instanceof AggregateError && error.message === '')
    return error.errors.map((inner) => describe(inner)).join('; ');
  return error instanceof Error ? error.message.trim() : String(error);
}

process.exitCode = await main(process.argv.slice(2), process.env);
