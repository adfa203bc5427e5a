import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findServerProcesses } from '../postgres/stop-leftovers.ts';

export const FAKE_PLATFORM = fileURLToPath(new URL('./fake-platform', import.meta.url));

/** A `jobber up` in a process of its own, with daemons that only look like ones. */
export interface TestUp {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves when the output contains `text`; rejects when the process ends first. */
  shows(text: string | RegExp): Promise<void>;
  /** The exit code. */
  ended: Promise<number | null>;
}

export function startUp(options: {
  dataDir: string;
  jobberHome: string;
  portBase: number;
  jsonLogs?: boolean;
  profile?: string;
  pulsar?: { serviceUrl: string };
  environment?: NodeJS.ProcessEnv;
}): TestUp {
  const { environment, ...upOptions } = options;
  const program = fileURLToPath(new URL('./run-up.ts', import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify({ ...upOptions, root: FAKE_PLATFORM })], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
  });
  let stdout = '';
  let stderr = '';
  let ended = false;
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    tell();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    tell();
  });
  const exit = once(child, 'close').then(([code]) => {
    ended = true;
    tell();
    return code as number | null;
  });

  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended: exit,
    shows: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = typeof text === 'string' ? stdout.includes(text) : text.test(stdout);
          if (found || ended) listeners.delete(look);
          if (found) resolve();
          else if (ended) reject(new Error(`"${text}" was never shown; it showed:\n${stdout}\n${stderr}`));
        };
        listeners.add(look);
        look();
      }),
  };
}

/** The processes of a data folder by name: `auth`, `jobs`, `executor`, `products`, `postgres`. */
export function processesOf(dataDir: string): Record<string, number> {
  const folder = join(dataDir, 'run');
  const daemons = existsSync(folder)
    ? readdirSync(folder).map((file) => [
        file.replace('.pid', ''),
        Number.parseInt(readFileSync(join(folder, file), 'utf8'), 10),
      ])
    : [];
  const running = daemons.filter(([, pid]) => isRunning(Number(pid)));
  const [postmaster] = findServerProcesses(join(dataDir, 'postgres'));
  return Object.fromEntries(postmaster === undefined ? running : [...running, ['postgres', postmaster]]);
}

/** Ends what a test left and removes its folder. */
export function cleanUp(folder: string, ups: readonly TestUp[]): void {
  for (const { child } of ups) child.kill('SIGKILL');
  for (const name of readdirSync(folder)) {
    for (const pid of Object.values(processesOf(join(folder, name)))) kill(pid);
    for (const pid of findServerProcesses(join(folder, name, 'postgres'))) kill(pid);
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
