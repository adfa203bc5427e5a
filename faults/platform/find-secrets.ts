import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { DaemonProcess } from './daemon-process.ts';

export interface WhereToLook {
  readonly daemons: readonly DaemonProcess[];
  /** Logs, and whatever else was written of answers. */
  readonly files: readonly string[];
  readonly secrets: readonly string[];
}

/**
 * I12: looks for secrets in files, in the metrics and in the argument lists of the daemons and what they have started.
 * Argument lists are read where there is a /proc. @returns the places, without the secrets
 */
export async function findSecrets({ daemons, files, secrets }: WhereToLook): Promise<string[]> {
  const found: string[] = [];
  const look = (where: string, text: string) => {
    if (secrets.some((secret) => text.includes(secret))) found.push(where);
  };
  for (const file of files) {
    if (!existsSync(file)) continue;
    for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries())
      look(`${file}, line ${index + 1}`, line);
  }
  for (const daemon of daemons) {
    const response = await fetch(`${daemon.origin}/metrics`, { signal: AbortSignal.timeout(30_000) });
    look(`the metrics of ${daemon.name}`, await response.text());
  }
  const pids = daemons.map((daemon) => daemon.pid()).filter((pid) => pid !== undefined);
  for (const pid of withChildren(pids)) look(`the argument list of process ${pid}`, argumentList(pid));
  return found;
}

function withChildren(pids: readonly number[]): number[] {
  return pids.flatMap((pid) => [pid, ...withChildren(childrenOf(pid))]);
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    // It has ended meanwhile, or there is no /proc.
    return [];
  }
}

function argumentList(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
