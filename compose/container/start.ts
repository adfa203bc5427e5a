// What runs in a container: `start.js auth|jobs|executor|products`, `start.js migrate` (all databases, or what
// db/migrate.ts takes) or `start.js make-secrets`, which also looks through the settings of all daemons before any runs.
// The program is loaded into this very process, so that signals reach it and its exit code is the container's.
import { ConfigError, withSecretFiles } from '@jobber/shared/config';
import { createLogger, LOG_LEVELS, type LogLevel } from '@jobber/shared/log';
import { DAEMONS, type DaemonName, sourcePrograms } from '../embedded/platform/daemon-programs.ts';

const EXIT_USAGE = 2;
const EXIT_CONFIG = 78;
const DATABASE_URLS = ['AUTH_DATABASE_URL', 'JOBS_DATABASE_URL', 'PRODUCTS_DATABASE_URL'];
const USAGE = `Usage: one of ${DAEMONS.join(', ')}, migrate [all|auth|jobs|products] [--await] [--wait-seconds N], make-secrets\n`;

const programs = sourcePrograms();

async function main([command, ...args]: string[], environment: NodeJS.ProcessEnv): Promise<void> {
  if (isDaemon(command) && args.length === 0) {
    sayVersion(command, environment);
    await run(programs.daemon(command));
  } else if (command === 'migrate') {
    // The migrate program knows no files.
    Object.assign(environment, withSecretFiles(DATABASE_URLS, environment));
    await run(programs.migrate, args.length === 0 ? ['all'] : args);
  } else if (command === 'make-secrets' && args.length === 0) {
    const [{ findProblems }, { makeSecrets }] = await Promise.all([
      import('./find-problems.ts'),
      import('./make-secrets.ts'),
    ]);
    const problems = await findProblems(environment);
    if (problems.length > 0) throw new ConfigError(problems);
    const made = makeSecrets('/secrets', environment);
    process.stdout.write(made.length > 0 ? `made: ${made.join(', ')}\n` : 'all secrets are there\n');
  } else {
    process.stderr.write(USAGE);
    process.exitCode = EXIT_USAGE;
  }
}

function isDaemon(name: string | undefined): name is DaemonName {
  return DAEMONS.some((daemon) => daemon === name);
}

/** The first line of each container's log says what it is. */
function sayVersion(daemon: DaemonName, environment: NodeJS.ProcessEnv): void {
  const { JOBBER_VERSION: version = 'unknown', JOBBER_COMMIT: commit = 'unknown', LOG_LEVEL } = environment;
  const level: LogLevel = LOG_LEVELS.find((known) => known === LOG_LEVEL) ?? 'info';
  createLogger({ daemon, level }).info({ version, commit, node: process.version }, `jobber ${version}`);
}

/** As if it had been started by itself. */
async function run(program: string, args: string[] = []): Promise<void> {
  process.argv = [process.execPath, program, ...args];
  await import(program);
}

try {
  await main(process.argv.slice(2), process.env);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.problems.join('\n')}\n`);
  process.exitCode = EXIT_CONFIG;
}
