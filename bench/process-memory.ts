import { readdir, readFile } from 'node:fs/promises';
import { readProcessStat } from '@jobber/compose/process-stat';

export interface ProcessMemory {
  readonly pid: number;
  readonly command: string;
  /** Resident, in MB. Shared pages count in each process. */
  readonly rss: number;
  /** Proportional: shared pages are divided among the processes that share them, so these add up. In MB. */
  readonly pss: number;
}

/** The memory of a process and all of its descendants (Linux). */
export async function memoryOfTree(root: number): Promise<ProcessMemory[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readProcessStat(Number(name));
    if (stat) parents.set(Number(name), stat.parent);
  }
  const tree = [root];
  for (const pid of tree) for (const [child, parent] of parents) if (parent === pid) tree.push(child);
  const all = await Promise.all(tree.map(memoryOf));
  return all.filter((memory) => memory !== undefined);
}

async function memoryOf(pid: number): Promise<ProcessMemory | undefined> {
  const [rollup, command] = await Promise.all([
    readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => undefined),
    readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
  ]);
  if (rollup === undefined) return undefined;
  const megabytes = (field: string) =>
    Number(new RegExp(`^${field}: +(\\d+)`, 'm').exec(rollup)?.[1] ?? 0) / 1024;
  return { pid, command: command.replaceAll('\0', ' ').trim(), rss: megabytes('Rss'), pss: megabytes('Pss') };
}
