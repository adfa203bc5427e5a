import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { explainFileError, PostgresError } from './postgres-error.ts';
import { identifyProcess } from './process-identity.ts';

/**
 * Makes this process the only one that starts, stops or repairs the server of `dataDir`, until `release` is called
 * or the process ends, however it ends. PostgreSQL guards the folder against a second server by itself; this guards
 * a running server against being taken for a left-over by a second jobber.
 * @throws PostgresError `folder-in-use`, naming the process that holds it
 */
export function claimFolder(dataDir: string): { release(): void } {
  const claim = `${dataDir}.owner`;
  const me = identifyProcess(process.pid) ?? String(process.pid);
  const mine = `${claim}.${randomUUID()}`;
  try {
    writeFileSync(mine, me, { mode: 0o600 });
  } catch (error) {
    rmSync(mine, { force: true });
    throw explainFileError(error, dirname(claim));
  }
  try {
    // Linking makes the claim appear at once, with its content, or not at all.
    for (;;) {
      try {
        linkSync(mine, claim);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw explainFileError(error, claim);
      }
      removeIfStale(claim, dataDir);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  return {
    release() {
      if (read(claim) === me) rmSync(claim, { force: true });
    },
  };
}

function removeIfStale(claim: string, dataDir: string): void {
  const owner = read(claim);
  if (owner === undefined) return;
  const pid = Number.parseInt(owner, 10);
  if (identifyProcess(pid) === owner) {
    const who = pid === process.pid ? 'this process' : `process ${pid}`;
    throw new PostgresError('folder-in-use', `The PostgreSQL data in ${dataDir} is in use by ${who}.`);
  }
  // Moved, not removed: if another process replaced the stale claim by its own in the meantime, it is put back.
  const aside = `${claim}.${randomUUID()}`;
  try {
    renameSync(claim, aside);
  } catch {
    return;
  }
  if (read(aside) !== owner) {
    try {
      linkSync(aside, claim);
    } catch {
      // A third process claimed it already.
    }
  }
  rmSync(aside, { force: true });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
