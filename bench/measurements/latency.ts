import { setTimeout as sleep } from 'node:timers/promises';
import { EXECUTE_JOB } from '../client.ts';
import type { BenchContext } from '../context.ts';
import type { Figure } from '../report.ts';
import { percentile, round } from '../statistics.ts';

const SAMPLES = 200;
const WARM_UP = 20;

/** Idle platform, one job at a time: from the request to the moment its submitter has seen it completed. */
export async function measureLatency({ client }: BenchContext): Promise<Figure[]> {
  const samples: number[] = [];
  for (let i = 0; i < SAMPLES + WARM_UP; i += 1) {
    const started = performance.now();
    const { executeJob } = await client.jobs<{ executeJob: { id: number } }>(EXECUTE_JOB, {
      i: { name: 'Fibonacci', data: { iterations: 10 } },
    });
    const { status } = await client.untilEnded(executeJob.id);
    if (status !== 'COMPLETED') throw new Error(`job ${executeJob.id} is ${status}`);
    if (i >= WARM_UP) samples.push(performance.now() - started);
    await sleep(10);
  }
  const p50 = percentile(samples, 0.5);
  const p99 = percentile(samples, 0.99);
  const note = `${SAMPLES} jobs, seen by server-sent events`;
  return [
    {
      name: 'submit → completion seen, p50',
      value: round(p50),
      unit: 'ms',
      goal: '≤ 10 ms',
      met: p50 <= 10,
      note,
    },
    {
      name: 'submit → completion seen, p99',
      value: round(p99),
      unit: 'ms',
      goal: '≤ 3 × p50',
      met: p99 <= 3 * p50,
      note,
    },
  ];
}
