import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { explainFileError, explainServerOutput, PostgresError } from './postgres-error.ts';
import type { ServerLog } from './server-log.ts';
import { dataFolderArgument, type ServerUser } from './server-user.ts';

// Replaying the WAL after a crash can take a while on a slow disk; the server reports that it is at it.
const READY_WITHIN_MS = 120_000;

/** How a server ended: by itself or a signal, or because it was asked to. */
export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly requested: boolean;
}

/** `fast` ends all sessions and writes a checkpoint; `immediate` is a crash on purpose, repaired at the next start. */
export type StopMode = 'fast' | 'immediate';

export interface RunningServer {
  readonly pid: number;
  readonly ended: Promise<ServerExit>;
  stop(mode: StopMode): Promise<void>;
}

/** Starts the server and waits until it takes connections. */
export async function runServer(options: {
  native: string;
  dataDir: string;
  user: ServerUser | undefined;
  settings: Readonly<Record<string, string>>;
  log: ServerLog;
  logFile: string;
}): Promise<RunningServer> {
  const { native, dataDir, user, settings, log, logFile } = options;
  const args = ['-D', dataFolderArgument(dataDir, user)];
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`);
  const child = spawn(join(native, 'bin', 'postgres'), args, {
    ...user,
    cwd: dataDir,
    // Nothing of ours: PGPORT and its like would change what the server does.
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', log.fd, log.fd],
    // Ctrl-C in a terminal goes to the whole group: the server would end before those who still use it.
    detached: true,
  });
  let requested = false;
  const ended = new Promise<ServerExit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal, requested }));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(explainFileError(error, join(native, 'bin', 'postgres'))));
  });
  const pid = child.pid as number;

  async function stop(mode: StopMode): Promise<void> {
    requested = true;
    child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    if (mode === 'fast' && (await endsWithin(ended, 30_000))) return;
    child.kill('SIGQUIT');
    if (await endsWithin(ended, 10_000)) return;
    child.kill('SIGKILL');
    await ended;
  }

  try {
    await waitUntilReady(child, dataDir);
  } catch (error) {
    await stop('immediate');
    throw error;
  }
  if (child.exitCode !== null || child.signalCode !== null) {
    const about = { doing: 'Starting PostgreSQL', folder: dataDir, port: Number(settings['port']), logFile };
    throw explainServerOutput(log.readSinceOpened(), about);
  }
  return { pid, ended, stop };
}

/** Returns when the server is ready or has ended. Its pid file tells, as it does pg_ctl. */
async function waitUntilReady(child: ChildProcess, dataDir: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (child.exitCode === null && child.signalCode === null) {
    if (readStatus(dataDir, child.pid) === 'ready') return;
    if (Date.now() > deadline) {
      throw new PostgresError(
        'start-failed',
        `PostgreSQL in ${dataDir} was not ready within ${READY_WITHIN_MS / 1000} seconds.`,
      );
    }
    await delay(10);
  }
}

function readStatus(dataDir: string, pid: number | undefined): string | undefined {
  try {
    const lines = readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n');
    return Number(lines[0]) === pid ? lines[7]?.trim() : undefined;
  } catch {
    return undefined;
  }
}

async function endsWithin(ended: Promise<ServerExit>, patienceMs: number): Promise<boolean> {
  const patience = new AbortController();
  const waited = delay(patienceMs, false, { signal: patience.signal }).catch(() => false);
  const result = await Promise.race([ended.then(() => true), waited]);
  patience.abort();
  return result;
}
