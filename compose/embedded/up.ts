import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { currentPrograms } from './platform/bundles.ts';
import type { DaemonSettings } from './platform/daemon-environment.ts';
import { DAEMONS, PLATFORM_ROOT, sourcePrograms } from './platform/daemon-programs.ts';
import { describePlatform, platformAddresses } from './platform/describe-platform.ts';
import { dropPostgresVariables } from './platform/drop-postgres-variables.ts';
import { openLogStream } from './platform/log-stream.ts';
import { PlatformError } from './platform/platform-error.ts';
import { platformPorts } from './platform/platform-ports.ts';
import { LOCAL_PROFILE, requireProfileOfThisMachine, writeLocalProfile } from './platform/profile-file.ts';
import { createScreen, type Output } from './platform/screen.ts';
import { type Platform, startPlatform } from './platform/start-platform.ts';
import { type Interruptions, watchInterruptions } from './platform/watch-interruptions.ts';
import { watchSources } from './platform/watch-sources.ts';
import { PostgresError } from './postgres/index.ts';

/** What the CLI's other commands end with as well. */
const EXIT = { ok: 0, usage: 2, unavailable: 6, interrupted: 130 } as const;

export interface UpOptions {
  /** Where everything is kept. */
  readonly dataDir: string;
  /** See `platformPorts`; without it the usual ports. */
  readonly portBase?: number | undefined;
  /** Standard output holds nothing but one JSON object a line; the rest goes to standard error. */
  readonly jsonLogs?: boolean;
  /** Where the CLI keeps its profiles. */
  readonly jobberHome: string;
  /** The profile that is written there. Default: `local`. */
  readonly profile?: string | undefined;
  /** Default: whether `stdout` is a terminal. */
  readonly color?: boolean;
  readonly stdout?: Output;
  readonly stderr?: Output;
  readonly environment?: NodeJS.ProcessEnv;
  /** For those who work on the daemons: development settings, and a daemon starts again when its sources change. */
  readonly watch?: boolean;
  /** Databases that somebody else runs; otherwise there is an embedded PostgreSQL. */
  readonly databaseUrls?: DaemonSettings['databaseUrls'] | undefined;
  /** Tasks reach executors over a broker: the one of this URL, or one of the platform's own. */
  readonly pulsar?: { readonly serviceUrl?: string | undefined } | undefined;
  /** Where the programs lie; default: beside this one. */
  readonly root?: string;
}

/**
 * Runs the platform of one data folder until Ctrl-C, SIGTERM or SIGHUP.
 * @returns the exit code: 0 stopped as asked, 2 a folder, port or profile that cannot be used, 6 a taken port or folder
 *   or a part that does not run, 130 ended at once by a second Ctrl-C
 */
export async function runUp(options: UpOptions): Promise<number> {
  const { stdout = process.stdout, stderr = process.stderr, environment = process.env } = options;
  const screen = createScreen({
    stdout,
    stderr,
    json: options.jsonLogs ?? false,
    color: options.color ?? (stdout.isTTY === true && !environment['NO_COLOR']),
  });
  if (options.databaseUrls === undefined) dropPostgresVariables(environment);
  const interruptions = watchInterruptions(environment);
  // A reader that has gone, such as `head` or a closed terminal, wants no more.
  stdout.on('error', () => interruptions.interrupt('the end of its output'));
  stderr.on('error', () => {});
  try {
    return await run({ ...options, environment }, screen, interruptions);
  } catch (error) {
    if (interruptions.first.aborted) return EXIT.ok;
    if (!(error instanceof PlatformError || error instanceof PostgresError)) throw error;
    screen.fail(error.message);
    return exitCodeOf(error);
  } finally {
    interruptions.dispose();
  }
}

async function run(
  options: UpOptions & { environment: NodeJS.ProcessEnv },
  screen: ReturnType<typeof createScreen>,
  interruptions: Interruptions,
): Promise<number> {
  const startedAt = performance.now();
  const dataDir = resolve(options.dataDir);
  const { watch = false, root = PLATFORM_ROOT, profile: profileName = LOCAL_PROFILE } = options;
  requireProfileOfThisMachine(options.jobberHome, profileName);
  const platform = await startPlatform({
    dataDir,
    ports: platformPorts(options.portBase),
    openLog: (folder) => openLogStream(folder, DAEMONS, screen.record),
    environment: options.environment,
    nodeEnv: watch ? 'development' : 'production',
    forgiving: watch,
    root,
    // What is watched for changes is what runs.
    programs: watch ? sourcePrograms(root) : currentPrograms(root),
    databaseUrls: options.databaseUrls,
    pulsar: options.pulsar,
    compileCache: join(homedir(), '.cache', 'jobber', 'compiled'),
    signal: interruptions.first,
    onPhase: (phase) => screen.phase(phase, performance.now() - startedAt),
  });
  const { ports, setupToken } = platform;
  const stopped = stopWhenAsked(platform, interruptions);
  try {
    const profile = { ...platformAddresses(ports), ...(setupToken === undefined ? {} : { setupToken }) };
    const currentProfile = writeLocalProfile(options.jobberHome, profileName, profile);
    const seconds = (performance.now() - startedAt) / 1000;
    screen.ready((color) =>
      describePlatform({ ports, dataDir, seconds, setupToken, profile: profileName, currentProfile, color }),
    );
  } catch (error) {
    await platform.stop();
    throw error;
  }
  const unwatch = watch ? restartOnChange(platform, root) : () => {};
  const end = await Promise.race([stopped, platform.failed]);
  unwatch();
  if (!(end instanceof PlatformError)) return end;
  await platform.stop();
  throw end;
}

function restartOnChange(platform: Platform, root: string): () => void {
  const { log } = platform;
  return watchSources(root, ({ paths, daemons, database }) => {
    log.say('up', 'info', `starting again because of a change: ${daemons.join(', ')}`, { paths });
    const upToDate = database ? platform.bringUpToDate() : Promise.resolve();
    upToDate.then(
      () => daemons.forEach(platform.restart),
      (error: unknown) => log.say('up', 'error', error instanceof Error ? error.message : String(error)),
    );
  });
}

/** Stops the platform in order at the first request and at once at a second. @returns the exit code */
async function stopWhenAsked(platform: Platform, { first, second }: Interruptions): Promise<number> {
  await aborted(first);
  platform.log.say('up', 'info', `stopping because of ${first.reason}; Ctrl-C again ends everything at once`);
  await Promise.race([platform.stop(), aborted(second).then(() => platform.kill())]);
  return second.aborted ? EXIT.interrupted : EXIT.ok;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function exitCodeOf(error: PlatformError | PostgresError): number {
  switch (error.reason) {
    case 'folder-unusable':
    case 'port-invalid':
    case 'profile-damaged':
    case 'profile-taken':
    case 'broker-url-invalid':
    case 'folder-not-writable':
    case 'folder-not-ours':
      return EXIT.usage;
    default:
      return EXIT.unavailable;
  }
}
