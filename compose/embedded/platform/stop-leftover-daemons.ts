import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { identifyProcess } from '../postgres/process-identity.ts';

/** Daemons whose `up` is gone stop by themselves; their own limit is 28 s. */
const PATIENCE_MS = 30_000;

/**
 * Waits until the daemons that a killed `up` left have finished what they were at, and ends those that don't.
 * Call it only while holding the data folder's lock.
 * @param folder the pid files', as `superviseDaemon` writes them
 * @param onWait told once which daemons it waits for
 */
export async function stopLeftoverDaemons(
  folder: string,
  options: { onWait: (names: string[]) => void; signal: AbortSignal; patienceMs?: number },
): Promise<void> {
  const { onWait, signal, patienceMs = PATIENCE_MS } = options;
  const left = findLeftovers(folder);
  if (left.length > 0) onWait(left.map(({ name }) => name));
  const deadline = Date.now() + patienceMs;
  let killed = false;
  for (;;) {
    const running = left.filter(({ identity }) => isRunning(identity));
    if (running.length === 0) break;
    if (!killed && Date.now() > deadline) {
      killed = true;
      for (const { identity } of running) kill(identity);
    }
    await delay(20, undefined, { signal });
  }
  for (const file of pidFiles(folder)) rmSync(join(folder, file), { force: true });
}

function findLeftovers(folder: string): { name: string; identity: string }[] {
  return pidFiles(folder)
    .map((file) => ({ name: file.replace(/\.pid$/, ''), identity: readFileSync(join(folder, file), 'utf8') }))
    .filter(({ identity }) => isRunning(identity));
}

function pidFiles(folder: string): string[] {
  return readdirSync(folder).filter((file) => file.endsWith('.pid'));
}

function isRunning(identity: string): boolean {
  return identity !== '' && identifyProcess(Number.parseInt(identity, 10)) === identity;
}

function kill(identity: string): void {
  try {
    process.kill(Number.parseInt(identity, 10), 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
