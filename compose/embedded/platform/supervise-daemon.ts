import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { identifyProcess } from '../postgres/process-identity.ts';
import { type BackoffRule, createBackoff } from './backoff.ts';

/** BSD's sysexits, and what our daemons end with when their configuration is wrong: starting again would not help. */
const EXIT_CONFIG = 78;
/** A daemon gives up by itself after 28 s. */
const STOP_WITHIN_MS = 30_000;

export type DaemonEvent =
  | { readonly kind: 'started'; readonly pid: number }
  /** It will be started again, `restartInMs` from now. */
  | { readonly kind: 'ended'; readonly how: string; readonly restartInMs: number; readonly ranMs: number }
  /** It will not be started again. */
  | { readonly kind: 'misconfigured' }
  | { readonly kind: 'killed after waiting'; readonly waitedMs: number };

export interface SupervisedDaemon {
  /** Undefined between two runs. */
  pid(): number | undefined;
  /** Asks it to stop and starts it again as soon as it has. */
  restart(): void;
  /** Asks it to stop, and kills it if it does not within 30 s. Resolves when it has ended. May be called twice. */
  stop(): Promise<void>;
  /** Ends it now. */
  kill(): void;
}

export interface SuperviseOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Where its output goes: a file, so that a slow or dead reader never holds it up. */
  readonly output: number;
  /** Says which process it is, so that the next start finds what a killed one left. */
  readonly pidFile: string;
  readonly onEvent: (event: DaemonEvent) => void;
  readonly backoff?: BackoffRule;
}

/**
 * Keeps a daemon running: whenever it ends by itself it is started again, after a growing delay.
 *
 * Its standard input is a pipe from this process, by whose end it notices that this process is gone. It is in a process
 * group of its own: Ctrl-C in a terminal reaches only this process, which then stops the daemons in order.
 */
export function superviseDaemon(options: SuperviseOptions): SupervisedDaemon {
  const { onEvent, pidFile } = options;
  const nextDelay = createBackoff(options.backoff);
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopAsked = false;
  let stopping: Promise<void> | undefined;
  let restartAsked = false;
  let ended = Promise.resolve();

  function start(): void {
    timer = undefined;
    restartAsked = false;
    const startedAt = performance.now();
    const run = spawn(options.program, [...options.args], {
      env: options.environment,
      stdio: ['pipe', options.output, options.output],
      detached: true,
    });
    child = run;
    // Its other end closes when the daemon ends; that is told by 'exit'.
    run.stdin?.on('error', () => {});
    ended = new Promise((resolve) => {
      const onEnd = (how: string, code?: number | null) => {
        child = undefined;
        rmSync(pidFile, { force: true });
        resolve();
        afterEnd(how, code, performance.now() - startedAt);
      };
      run.once('error', (error) => {
        if (run.pid === undefined) onEnd(`could not be started (${error.message})`);
      });
      run.once('exit', (code, signal) => onEnd(describeEnd(code, signal), code));
    });
    if (run.pid !== undefined) {
      notePid(pidFile, run.pid);
      onEvent({ kind: 'started', pid: run.pid });
    }
  }

  function afterEnd(how: string, code: number | null | undefined, ranMs: number): void {
    if (stopAsked) return;
    if (code === EXIT_CONFIG) {
      onEvent({ kind: 'misconfigured' });
      return;
    }
    if (restartAsked) {
      start();
      return;
    }
    const restartInMs = nextDelay(ranMs);
    timer = setTimeout(start, restartInMs);
    onEvent({ kind: 'ended', how, restartInMs, ranMs });
  }

  async function stopOnce(): Promise<void> {
    clearTimeout(timer);
    if (!child) return;
    child.kill('SIGTERM');
    const patience = setTimeout(() => {
      onEvent({ kind: 'killed after waiting', waitedMs: STOP_WITHIN_MS });
      child?.kill('SIGKILL');
    }, STOP_WITHIN_MS);
    await ended;
    clearTimeout(patience);
  }

  start();
  return {
    pid: () => child?.pid,
    restart() {
      if (stopAsked) return;
      restartAsked = true;
      if (child) child.kill('SIGTERM');
      else {
        clearTimeout(timer);
        start();
      }
    },
    stop() {
      stopAsked = true;
      stopping ??= stopOnce();
      return stopping;
    },
    kill() {
      stopAsked = true;
      clearTimeout(timer);
      child?.kill('SIGKILL');
    },
  };
}

function notePid(pidFile: string, pid: number): void {
  try {
    writeFileSync(pidFile, identifyProcess(pid) ?? '', { mode: 0o600 });
  } catch {
    // A full disk must not bring down what runs. Without the file the daemon still ends when we do.
  }
}

function describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
  return signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
}
