import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PostgresError } from './postgres-error.ts';
import { identifyProcess } from './process-identity.ts';

/** Put into the command line and the process titles of a data folder's server. */
export function clusterName(dataDir: string): string {
  return `jobber-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`;
}

/**
 * Stops whatever still runs in `dataDir`: a server whose jobber was killed, or the backends of a server that was
 * killed itself (PostgreSQL does not start while they hold its shared memory). Only processes that provably belong to
 * this folder are touched. A left-over server is stopped rather than adopted: that costs some tenths of a second, and
 * the new one has this start's port and settings and is our child again, so that its end is noticed.
 *
 * Call it only while holding the folder's claim. Nothing committed is lost by any of the ways used here.
 * @returns how many processes were stopped
 */
export async function stopLeftovers(dataDir: string): Promise<number> {
  const found = findServerProcesses(dataDir);
  if (found.length > 0) {
    const postmaster = readPostmasterPid(dataDir);
    if (postmaster !== undefined && found.includes(postmaster)) {
      // Fast shutdown; then immediate, which leaves recovery to the next start.
      await signalAndWait(dataDir, [postmaster], 'SIGINT', 15_000);
      if (findServerProcesses(dataDir).includes(postmaster)) {
        await signalAndWait(dataDir, [postmaster], 'SIGQUIT', 5_000);
      }
    }
    // Backends without a postmaster: most notice its death by themselves at once.
    await signalAndWait(dataDir, [], 'SIGQUIT', 300);
    await signalAndWait(dataDir, findServerProcesses(dataDir), 'SIGQUIT', 3_000);
    await signalAndWait(dataDir, findServerProcesses(dataDir), 'SIGKILL', 10_000);
    const left = findServerProcesses(dataDir);
    if (left.length > 0) {
      throw new PostgresError(
        'start-failed',
        `An earlier PostgreSQL in ${dataDir} does not end (process ${left.join(', ')}).`,
      );
    }
  }
  removeStalePidFile(dataDir);
  return found.length;
}

/**
 * The processes of the server (or initdb) in `dataDir`. On Linux these are the PostgreSQL programs whose working folder
 * it is, compared by device and inode, so that a moved folder is still known. Root in a container may be refused to
 * see that of another user's processes (it lacks CAP_SYS_PTRACE): there, as on macOS, the cluster name in their titles
 * tells, provided that they are the data folder owner's.
 */
export function findServerProcesses(dataDir: string): number[] {
  const folder = statSync(dataDir, { throwIfNoEntry: false });
  if (!folder) return [];
  return process.platform === 'linux'
    ? findByProc(folder, clusterName(dataDir))
    : findByPs(folder.uid, clusterName(dataDir));
}

function findByProc(folder: { dev: number; ino: number; uid: number }, title: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => worksIn(pid, folder) ?? isTitled(pid, folder.uid, title))
    .filter((pid) => identifyProcess(pid) !== undefined);
}

/** Undefined when we may not know. */
function worksIn(pid: number, folder: { dev: number; ino: number }): boolean | undefined {
  try {
    const cwd = statSync(`/proc/${pid}/cwd`);
    if (cwd.dev !== folder.dev || cwd.ino !== folder.ino) return false;
    // A deleted program reads as "…/postgres (deleted)": node_modules may have been replaced meanwhile.
    const program = basename(readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, ''));
    return program === 'postgres' || program === 'initdb';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? undefined : false;
  }
}

function isTitled(pid: number, uid: number, title: string): boolean {
  try {
    return (
      statSync(`/proc/${pid}`).uid === uid &&
      isServerTitle(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), title)
    );
  } catch {
    // It ended meanwhile.
    return false;
  }
}

function findByPs(uid: number, title: string): number[] {
  const list = execFileSync('/bin/ps', ['-axo', 'pid=,uid=,command='], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return list
    .split('\n')
    .map((line) => /^ *(\d+) +(\d+) (.*)$/.exec(line))
    .filter((found) => Number(found?.[2]) === uid && isServerTitle(found?.[3] ?? '', title))
    .map((found) => Number(found?.[1]));
}

function isServerTitle(command: string, title: string): boolean {
  return command.includes(title) && /\b(postgres|initdb)\b/.test(command);
}

async function signalAndWait(
  dataDir: string,
  pids: readonly number[],
  signal: NodeJS.Signals,
  patienceMs: number,
): Promise<void> {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended by itself.
    }
  }
  const deadline = Date.now() + patienceMs;
  while (findServerProcesses(dataDir).length > 0 && Date.now() < deadline) {
    await delay(20);
  }
}

/** PostgreSQL refuses to start when the process id in a stale file now belongs to a stranger of the same user. */
function removeStalePidFile(dataDir: string): void {
  const pid = readPostmasterPid(dataDir);
  // A file whose process is gone is left to PostgreSQL, which also cleans up the shared memory it names.
  if (pid !== undefined && identifyProcess(pid) !== undefined) rmSync(join(dataDir, 'postmaster.pid'));
}

function readPostmasterPid(dataDir: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8'), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
