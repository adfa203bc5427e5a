import { readFile, writeFile } from 'node:fs/promises';

const KIB = 1_024;

/**
 * What a process and those it has started hold of memory, in bytes: not the programs' files, which are shared. Undefined
 * when there is no such process, or no /proc: only Linux has it.
 */
export async function memoryOfProcess(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined);
  if (status === undefined) return undefined;
  const own = kibibytes(status, 'RssAnon') + kibibytes(status, 'RssShmem');
  const others = await Promise.all((await childrenOfProcess(pid)).map(memoryOfProcess));
  return others.reduce<number>((sum, bytes = 0) => sum + bytes, own * KIB);
}

/** Ids of the processes that a process has started and that still run; none where there is no /proc. */
export async function childrenOfProcess(pid: number): Promise<number[]> {
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return list.split(' ').filter(Boolean).map(Number);
}

/** When the machine runs out of memory, the kernel ends this process rather than ours. */
export async function sacrificeFirst(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/oom_score_adj`, '1000').catch(() => {});
}

function kibibytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
}
