// Applies migrations: `node db/migrate.ts all|auth|jobs|products`, with the addresses in *_DATABASE_URL.
import { parseArgs } from 'node:util';
import type { DatabaseDefinition } from './connection.ts';
import { awaitMigrations, migrateAndLook, whileUnreachable } from './migrate-database.ts';

const USAGE = `Usage: node db/migrate.ts all|auth|jobs|products [--await] [--wait-seconds N]

  --await           change nothing; wait until somebody else has applied all migrations
  --wait-seconds N  how long to wait for the server, and with --await for the migrations, 0 to 86400; otherwise 0
`;

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

interface Request {
  readonly names: readonly DatabaseName[];
  readonly onlyAwait: boolean;
  readonly waitMs: number;
}

/** Exit codes: 0 done, 1 a database refused, 2 wrong usage, 78 (BSD's EX_CONFIG) an address is missing or malformed. */
async function main(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const request = readRequest(args);
  if (!request) {
    process.stderr.write(USAGE);
    return 2;
  }
  const problems = request.names.flatMap((name) => addressProblem(DATABASES[name].variable, environment));
  if (problems.length > 0) {
    process.stderr.write(`${problems.join('\n')}\n`);
    return 78;
  }
  let exitCode = 0;
  // All of them, also after one has failed: one run names everything.
  for (const name of request.names) {
    const { variable, load } = DATABASES[name];
    try {
      process.stdout.write(`${name}: ${await bring(await load(), environment[variable] ?? '', request)}\n`);
    } catch (error) {
      process.stderr.write(`${name}: not migrated: ${describe(error)}\n`);
      exitCode = 1;
    }
  }
  return exitCode;
}

/** @returns what was done, or found. @throws Error when the database is not up to date afterwards */
async function bring(
  definition: DatabaseDefinition,
  url: string,
  { onlyAwait, waitMs }: Request,
): Promise<string> {
  if (onlyAwait) {
    const pending = await awaitMigrations(definition, url, waitMs);
    if (pending.length === 0) return 'up to date';
    throw new Error(`${pending.join(', ')} still missing after ${waitMs / 1_000} s`);
  }
  const { applied, newer } = await whileUnreachable(waitMs, () => migrateAndLook(definition, url));
  const done = applied.length > 0 ? `applied ${applied.join(', ')}` : 'up to date';
  return newer.length > 0 ? `${done}; it has ${newer.join(', ')} of a newer version` : done;
}

function readRequest(args: readonly string[]): Request | undefined {
  const options = { await: { type: 'boolean' }, 'wait-seconds': { type: 'string', default: '0' } } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const names = namesOf(positionals);
    const seconds = values['wait-seconds'];
    if (!names || !/^\d{1,5}$/.test(seconds) || Number(seconds) > 86_400) return undefined;
    return { names, onlyAwait: values.await ?? false, waitMs: Number(seconds) * 1_000 };
  } catch {
    // An option that there is not.
    return undefined;
  }
}

function namesOf(positionals: readonly string[]): DatabaseName[] | undefined {
  const all = Object.keys(DATABASES) as DatabaseName[];
  if (positionals.length !== 1) return undefined;
  if (positionals[0] === 'all') return all;
  const named = all.filter((name) => name === positionals[0]);
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
