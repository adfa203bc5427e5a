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
 * The processes of the server in `dataDir`. On Linux these are the PostgreSQL programs whose working folder it is
 * (compared by device and inode, so that moving the folder does not matter); elsewhere those with its cluster name.
 */
export function findServerProcesses(dataDir: string): number[] {
  const folder = statSync(dataDir, { throwIfNoEntry: false });
  if (!folder) return [];
  return process.platform === 'linux' ? findByWorkingFolder(folder) : findByTitle(clusterName(dataDir));
}

function findByWorkingFolder(folder: { dev: number; ino: number }): number[] {
  const found: number[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const cwd = statSync(`/proc/${name}/cwd`);
      if (cwd.dev !== folder.dev || cwd.ino !== folder.ino) continue;
      // A deleted program reads as "…/postgres (deleted)": node_modules may have been replaced meanwhile.
      const program = basename(readlinkSync(`/proc/${name}/exe`).replace(/ \(deleted\)$/, ''));
      if (program === 'postgres' || program === 'initdb') found.push(Number(name));
    } catch {
      // Ended meanwhile, or a stranger's: not of our server, which runs as ourselves or is visible to root.
    }
  }
  return found.filter((pid) => identifyProcess(pid) !== undefined);
}

function findByTitle(title: string): number[] {
  const list = execFileSync('ps', ['-axo', 'pid=,command='], {
    encoding: 'utf8',
    env: {},
    maxBuffer: 1 << 26,
  });
  return list
    .split('\n')
    .filter((line) => line.includes(title) && line.includes('postgres'))
    .map((line) => Number.parseInt(line, 10));
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
