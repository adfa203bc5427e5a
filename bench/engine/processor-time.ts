import { readProcessStat } from '@jobber/compose/process-stat';
import { memoryOfTree } from '../process-memory.ts';

/** Processor time in seconds by part of the platform, PostgreSQL's by database. */
export type ProcessorTime = ReadonlyMap<string, number>;

/** @param root the process whose descendants are looked at (Linux) */
export async function processorTime(root: number): Promise<ProcessorTime> {
  const times = new Map<string, number>();
  for (const { pid, command } of await memoryOfTree(root)) {
    const stat = readProcessStat(pid);
    if (stat === undefined) continue;
    const part = partOf(command);
    // With its children that have ended: backends come and go.
    times.set(part, (times.get(part) ?? 0) + (stat.ownMs + stat.endedChildrenMs) / 1_000);
  }
  return times;
}

/** Who took how much between two looks, as shares of one core: "Jobs 71 %, PostgreSQL 40 %". */
export function describeShares(before: ProcessorTime, after: ProcessorTime, seconds: number): string {
  return [...after]
    .map(([part, time]) => [part, (time - (before.get(part) ?? 0)) / seconds] as const)
    .filter(([, share]) => share >= 0.01)
    .sort((a, b) => b[1] - a[1])
    .map(([part, share]) => `${part} ${Math.round(share * 100)} %`)
    .join(', ');
}

function partOf(command: string): string {
  const daemon = /daemons\/(\w+)\/main/.exec(command)?.[1];
  if (daemon) return daemon;
  return command.includes('postgres') ? 'postgres' : 'up';
}
