import { ConfigError } from '@jobber/shared/config';
import { describeUnknownError } from '@jobber/shared/errors';
import { createLogger, type Logger, type LogLevel } from '@jobber/shared/log';
import { returnMemoryWhenIdle } from './return-memory.ts';
import { createScope, type Scope } from './scope.ts';

/** BSD's sysexits: the configuration is wrong; restarting will not help. */
const EXIT_CONFIG = 78;
/** From the first signal to the end, in milliseconds, without what it serves on; orchestrators kill after 30 s by default. */
const STOP_DEADLINE_MS = 28_000;

export interface DaemonDefinition<Config extends { logLevel: LogLevel; drainSeconds?: number }> {
  readonly name: string;
  /** Reads the configuration. Throws ConfigError. */
  readonly configure: () => Config;
  /** Opens everything in dependency order and defers each release on the scope. */
  readonly start: (context: { config: Config; scope: Scope; log: Logger }) => Promise<void>;
  /** Stop when standard input ends: a supervisor holds the other end, and the daemon goes when it dies. */
  readonly stopWhenStdinEnds: boolean;
}

/**
 * Runs a daemon until a signal ends it: SIGTERM or SIGINT stop it in order with exit code 0, a second signal ends it
 * at once. Exit code 78 means a wrong configuration, 1 any other failure.
 */
export async function runDaemon<Config extends { logLevel: LogLevel; drainSeconds?: number }>(
  definition: DaemonDefinition<Config>,
): Promise<void> {
  const config = configureOrExit(definition);
  const log = createLogger({ daemon: definition.name, level: config.logLevel });
  const scope = createScope(log);
  const limitMs = STOP_DEADLINE_MS + (config.drainSeconds ?? 0) * 1_000;
  let stopping = false;

  async function stop(cause: string, exitCode: number): Promise<void> {
    if (stopping) {
      log.warn({ cause }, 'stopping at once');
      process.exit(exitCode || 130);
    }
    stopping = true;
    log.info({ cause }, 'stopping');
    setTimeout(() => {
      log.error({ limitMs }, 'stopping took too long; exiting');
      process.exit(1);
    }, limitMs).unref();
    const clean = await scope.release().then(
      () => true,
      () => false,
    );
    const code = clean ? exitCode : exitCode || 1;
    log.info({ exitCode: code }, 'stopped');
    process.exit(code);
  }

  process.on('SIGTERM', () => void stop('SIGTERM', 0));
  process.on('SIGINT', () => void stop('SIGINT', 0));
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught exception');
    void stop('uncaught exception', 1);
  });
  if (definition.stopWhenStdinEnds) {
    process.stdin.on('end', () => void stop('supervisor is gone', 0)).on('error', () => {});
    process.stdin.resume();
  }

  returnMemoryWhenIdle(scope);
  try {
    await definition.start({ config, scope, log });
    if (!stopping) log.info('started');
  } catch (error) {
    // A signal came while it waited for something: the stop is under way, and this is its consequence.
    if (stopping) return;
    if (error instanceof ConfigError) {
      for (const problem of error.problems) log.fatal(problem);
      await stop('configuration', EXIT_CONFIG);
    }
    log.fatal({ error: describeUnknownError(error) }, startFailure(error));
    await stop('start failed', 1);
  }
}

function configureOrExit<Config extends { logLevel: LogLevel; drainSeconds?: number }>(
  definition: DaemonDefinition<Config>,
): Config {
  try {
    return definition.configure();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const log = createLogger({ daemon: definition.name, level: 'info' });
    for (const problem of error.problems) log.fatal(problem);
    process.exit(EXIT_CONFIG);
  }
}

function startFailure(error: unknown): string {
  const { code, port } = (error ?? {}) as { code?: string; port?: number };
  if (code === 'EADDRINUSE') return `port ${port} is taken by another program; choose another one`;
  return `start failed: ${describeUnknownError(error)}`;
}
