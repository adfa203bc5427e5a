import {
  closeSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT, Failure } from '../failure.ts';
import { ensureHomeFolder } from './folder.ts';

/** A holder makes one request in it at most; one that is older has died or hangs. */
const STALE_MS = 30_000;
const WAIT_MS = 40_000;

/** Runs `work` while no other process of this user does: a refresh token that two use at once ends the session. */
export async function withCredentialsLock<T>(home: string, work: () => Promise<T>): Promise<T> {
  ensureHomeFolder(home);
  const path = join(home, 'credentials.lock');
  await acquire(path);
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

async function acquire(path: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    if (tryLock(path)) return;
    if (isStale(path)) removeStale(path);
    else if (Date.now() > deadline) {
      throw new Failure(
        `${path} is held by another jobber: wait for it, or delete the file if there is none`,
        {
          exitCode: EXIT.unavailable,
          reason: 'LOCKED',
        },
      );
    } else await delay(25);
  }
}

function tryLock(path: string): boolean {
  try {
    const file = openSync(path, 'wx', 0o600);
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function isStale(path: string): boolean {
  try {
    if (Date.now() - statSync(path).mtimeMs > STALE_MS) return true;
    const pid = Number(readFileSync(path, 'utf8'));
    return pid > 0 && !isRunning(pid);
  } catch {
    return false; // It was released in between.
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/**
 * Renamed first: of two processes that see the same stale lock one moves it away; the other may get
 * the new one, and puts it back.
 */
function removeStale(path: string): void {
  const moved = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, moved);
    if (!isStale(moved)) linkSync(moved, path);
  } catch {
    // Another process was faster.
  }
  rmSync(moved, { force: true });
}
