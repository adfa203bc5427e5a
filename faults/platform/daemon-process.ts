import { openSync } from 'node:fs';
import { join } from 'node:path';
import { DAEMON_NODE_FLAGS, type DaemonName, sourcePrograms } from '@jobber/compose/daemon-programs';
import { superviseDaemon } from '@jobber/compose/supervise-daemon';
import { waitUntil } from '../wait-until.ts';

/** A supervisor that starts again soon: what is measured is the daemon, not the supervisor's patience. */
const RESTART = { firstMs: 200, mostMs: 1_000, healthyAfterMs: 3_000 };

/** One daemon's process under a supervisor that starts it again whenever it ends. */
export interface DaemonProcess {
  readonly daemon: DaemonName;
  /** Tells replicas apart: `executor-2`. */
  readonly name: string;
  readonly logFile: string;
  /** Of its HTTP door. */
  readonly origin: string;
  /** Undefined between two runs. */
  pid(): number | undefined;
  /** How each of its runs has ended, such as `was ended by SIGKILL` or `ended with exit code 0`. */
  readonly ends: readonly string[];
  /** @throws when it does not run */
  signal(signal: NodeJS.Signals): void;
  isReady(): Promise<boolean>;
  untilReady(): Promise<void>;
  /** Asks it to end, and resolves once it has. @returns how it ended, and after how many milliseconds */
  terminate(): Promise<{ how: string; tookMs: number }>;
  /** From its next start its program is that of another copy of the repository. */
  setRoot(root: string | undefined): void;
  stop(): Promise<void>;
}

export interface DaemonOptions {
  readonly daemon: DaemonName;
  readonly name: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly folder: string;
  readonly port: number;
  readonly root?: string | undefined;
}

export function startDaemon(options: DaemonOptions): DaemonProcess {
  const { daemon, name, folder, port } = options;
  const logFile = join(folder, `${name}.log`);
  const ends: string[] = [];
  const origin = `http://127.0.0.1:${port}`;
  const argumentsFor = (root: string | undefined) => [
    ...DAEMON_NODE_FLAGS,
    sourcePrograms(root).daemon(daemon),
  ];
  const args = argumentsFor(options.root);
  const process = superviseDaemon({
    program: globalThis.process.execPath,
    args,
    environment: options.environment,
    output: openSync(logFile, 'a'),
    pidFile: join(folder, `${name}.pid`),
    backoff: RESTART,
    onEvent(event) {
      if (event.kind === 'ended') ends.push(event.how);
      if (event.kind === 'misconfigured') ends.push('refused its configuration');
    },
  });

  function signal(wanted: NodeJS.Signals): void {
    const pid = process.pid();
    if (pid === undefined) throw new Error(`${name} does not run, and so gets no ${wanted}.`);
    globalThis.process.kill(pid, wanted);
  }

  async function isReady(): Promise<boolean> {
    const url = `${origin}/${daemon}/ready`;
    const response = await fetch(url, { signal: AbortSignal.timeout(2_500) }).catch(() => undefined);
    await response?.body?.cancel();
    return response?.status === 200;
  }

  return {
    daemon,
    name,
    logFile,
    origin,
    pid: process.pid,
    ends,
    signal,
    isReady,
    untilReady: async () => void (await waitUntil(`${name} is ready`, isReady)),
    async terminate() {
      const before = ends.length;
      const started = performance.now();
      signal('SIGTERM');
      await waitUntil(`${name} has ended`, () => ends.length > before);
      return { how: ends[before] ?? '', tookMs: performance.now() - started };
    },
    setRoot: (root) => void args.splice(0, args.length, ...argumentsFor(root)),
    async stop() {
      if (process.pid() !== undefined) signal('SIGCONT');
      await process.stop();
    },
  };
}
