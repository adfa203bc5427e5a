import type { BenchContext } from '../context.ts';
import { memoryOfTree } from '../process-memory.ts';
import type { Figure } from '../report.ts';
import { round } from '../statistics.ts';

const GOAL_MB = 600;

/** All processes of the platform, PostgreSQL included. */
export async function measureMemory({ platform }: BenchContext, when: string): Promise<Figure[]> {
  const processes = await memoryOfTree(platform.pid);
  const pss = processes.reduce((sum, process) => sum + process.pss, 0);
  const rss = processes.reduce((sum, process) => sum + process.rss, 0);
  return [
    {
      name: `memory of all processes, ${when}`,
      value: round(pss, 0),
      unit: 'MB',
      goal: `< ${GOAL_MB} MB`,
      met: pss < GOAL_MB,
      note: `PSS of ${processes.length} processes; RSS adds up to ${round(rss, 0)} MB, shared pages counted each time`,
    },
  ];
}
