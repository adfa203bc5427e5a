// `npm run start:dev [-- --data-dir <folder>] [--port-base <port>]`: all four daemons from their sources, each started
// again when its sources change. The databases are those of AUTH_DATABASE_URL, JOBS_DATABASE_URL and
// PRODUCTS_DATABASE_URL when they are set, otherwise those of an embedded PostgreSQL in the data folder (.jobber).
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PLATFORM_ROOT } from './platform/daemon-programs.ts';
import { runUp } from './up.ts';

const EXIT_USAGE = 2;
const VARIABLES = ['AUTH_DATABASE_URL', 'JOBS_DATABASE_URL', 'PRODUCTS_DATABASE_URL'] as const;

/** @returns a sentence when only some are set */
function configuredDatabases(environment: NodeJS.ProcessEnv) {
  const [auth, jobs, products] = VARIABLES.map((name) => environment[name] || undefined);
  if (auth && jobs && products) return { auth, jobs, products };
  if (!auth && !jobs && !products) return undefined;
  const missing = VARIABLES.filter((name) => !environment[name]);
  return `${missing.join(' and ')} must be set as well, or none of ${VARIABLES.join(', ')}: then an embedded PostgreSQL is used.`;
}

function readArguments(): { dataDir: string; portBase: number | undefined } | string {
  try {
    const { values } = parseArgs({
      options: { 'data-dir': { type: 'string' }, 'port-base': { type: 'string' } },
    });
    const portBase = values['port-base'];
    if (portBase !== undefined && !/^\d{1,5}$/.test(portBase))
      return `--port-base must be a port; got ${portBase}.`;
    return {
      dataDir: values['data-dir'] ?? join(PLATFORM_ROOT, '.jobber'),
      portBase: portBase === undefined ? undefined : Number(portBase),
    };
  } catch (error) {
    return (error as Error).message;
  }
}

async function main(environment: NodeJS.ProcessEnv): Promise<number> {
  const given = readArguments();
  const databaseUrls = configuredDatabases(environment);
  for (const problem of [given, databaseUrls]) {
    if (typeof problem !== 'string') continue;
    process.stderr.write(`Error: ${problem}\n`);
    return EXIT_USAGE;
  }
  const configHome = environment['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  return await runUp({
    ...(given as Exclude<typeof given, string>),
    jobberHome: environment['JOBBER_HOME'] || join(configHome, 'jobber'),
    environment,
    watch: true,
    databaseUrls: databaseUrls as Exclude<typeof databaseUrls, string>,
  });
}

process.exitCode = await main(process.env);
