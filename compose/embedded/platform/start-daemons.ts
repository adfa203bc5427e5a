import { join } from 'node:path';
import { type DaemonSettings, daemonEnvironment } from './daemon-environment.ts';
import {
  DAEMON_NODE_FLAGS,
  DAEMON_TITLES,
  DAEMONS,
  type DaemonName,
  type Programs,
} from './daemon-programs.ts';
import type { LogStream } from './log-stream.ts';
import { PlatformError } from './platform-error.ts';
import type { Release } from './release-in-order.ts';
import { type DaemonEvent, type SupervisedDaemon, superviseDaemon } from './supervise-daemon.ts';
import { waitUntilReady } from './wait-until-ready.ts';

/** Without being ready that long after its start, a daemon's start has failed. */
const READY_WITHIN_MS = 60_000;
/** A daemon that fails that often before it was ever ready will not come up by itself. */
const MOST_FAILED_STARTS = 4;

export interface StartedDaemons {
  /** In the order in which they were started. */
  readonly releases: readonly Release[];
  /** Resolves with the reason when one of them cannot run. */
  readonly failed: Promise<PlatformError>;
  /** @throws PlatformError when one cannot run or is not ready in time */
  untilReady(signal: AbortSignal): Promise<void>;
  restart(name: DaemonName): void;
}

interface Options {
  readonly settings: DaemonSettings;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: LogStream;
  /** Of the pid files. */
  readonly runFolder: string;
  readonly programs: Programs;
  /** One that, after all were ready, cannot run is reported and waits for `restart`. */
  readonly forgiving: boolean;
}

/** Starts all daemons at once (each waits for what it needs) and keeps them running. */
export function startDaemons(options: Options): StartedDaemons {
  const { log, programs } = options;
  const { promise: failed, resolve: giveUp } = Promise.withResolvers<PlatformError>();
  let allWereReady = false;
  const fail = (error: PlatformError) => {
    if (options.forgiving && allWereReady) log.say('up', 'error', error.message);
    else giveUp(error);
  };
  const ended = new AbortController();
  const daemons = new Map<DaemonName, SupervisedDaemon>();

  const ready = DAEMONS.map((name) => {
    const { promise, resolve: becomeReady } = Promise.withResolvers<void>();
    const url = readyUrl(name, options.settings);
    const daemon = superviseDaemon({
      program: process.execPath,
      args: [...DAEMON_NODE_FLAGS, programs.daemon(name)],
      environment: daemonEnvironment(name, options.settings, options.environment),
      output: log.outputOf(name),
      pidFile: join(options.runFolder, `${name}.pid`),
      onEvent: createListener({ name, url, log, becomeReady, fail, ended: ended.signal }),
    });
    daemons.set(name, daemon);
    return { name, promise };
  });

  return {
    failed,
    releases: [...daemons.values()].map((daemon) => ({
      stop() {
        ended.abort();
        return daemon.stop();
      },
      kill() {
        ended.abort();
        daemon.kill();
      },
    })),
    restart: (name) => daemons.get(name)?.restart(),
    async untilReady(signal) {
      const late = new Set(DAEMONS);
      const all = Promise.all(ready.map(({ name, promise }) => promise.then(() => late.delete(name))));
      const failure = failed.then((error) => Promise.reject(error));
      const timer = setTimeout(() => {
        for (const name of late) fail(notReady(name, log));
      }, READY_WITHIN_MS);
      try {
        await Promise.race([all, failure, rejectWhenAborted(signal)]);
        allWereReady = true;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Tells the log what happens to a daemon, and gives up on one that cannot run. */
function createListener(about: {
  name: DaemonName;
  url: string;
  log: LogStream;
  becomeReady: () => void;
  fail: (error: PlatformError) => void;
  ended: AbortSignal;
}): (event: DaemonEvent) => void {
  const { name, url, log, becomeReady, fail, ended } = about;
  const title = DAEMON_TITLES[name];
  let starts = 0;
  let wasReady = false;
  let run = new AbortController();

  function watchReadiness(again: boolean): void {
    const startedAt = performance.now();
    run.abort();
    run = new AbortController();
    waitUntilReady(url, AbortSignal.any([ended, run.signal])).then(
      () => {
        wasReady = true;
        becomeReady();
        const afterMs = Math.round(performance.now() - startedAt);
        if (again) log.say('up', 'info', `${title} is ready again`, { afterMs });
      },
      () => {},
    );
  }

  return (event) => {
    switch (event.kind) {
      case 'started':
        starts += 1;
        watchReadiness(starts > 1);
        break;
      case 'ended':
        if (!wasReady && starts >= MOST_FAILED_STARTS) fail(keepsFailing(name, event.how, log));
        else log.say('up', 'warn', `${title} ${event.how}; it is started again`, { inMs: event.restartInMs });
        break;
      case 'misconfigured':
        fail(misconfigured(name, log));
        break;
      case 'killed after waiting':
        log.say('up', 'warn', `${title} did not stop and was killed`, { waitedMs: event.waitedMs });
        break;
    }
  };
}

function readyUrl(name: DaemonName, { ports }: DaemonSettings): string {
  return `http://127.0.0.1:${ports[name]}/${name}/ready`;
}

function misconfigured(name: DaemonName, log: LogStream): PlatformError {
  const problem = log.lastProblem(name) ?? 'it did not say why';
  return new PlatformError(
    'daemon-misconfigured',
    `${DAEMON_TITLES[name]} refuses its configuration: ${problem}. ${whereTheLogIs(name, log)}`,
  );
}

function keepsFailing(name: DaemonName, how: string, log: LogStream): PlatformError {
  const problem = log.lastProblem(name);
  return new PlatformError(
    'daemon-not-ready',
    `${DAEMON_TITLES[name]} does not start: it ${how}${problem === undefined ? '' : `, saying: ${problem}`}. ${whereTheLogIs(name, log)}`,
  );
}

function notReady(name: DaemonName, log: LogStream): PlatformError {
  const problem = log.lastProblem(name);
  const said = problem === undefined ? '' : `; it said: ${problem}`;
  return new PlatformError(
    'daemon-not-ready',
    `${DAEMON_TITLES[name]} was not ready within ${READY_WITHIN_MS / 1000} seconds${said}. ${whereTheLogIs(name, log)}`,
  );
}

function whereTheLogIs(name: DaemonName, log: LogStream): string {
  return `Its log is ${join(log.folder, `${name}.log`)}.`;
}
