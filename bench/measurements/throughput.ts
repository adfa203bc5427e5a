import { setTimeout as sleep } from 'node:timers/promises';
import { EXECUTE_JOB } from '../client.ts';
import type { BenchContext } from '../context.ts';
import type { Figure } from '../report.ts';
import { round } from '../statistics.ts';

const JOBS = 20_000;
const SUBMITTERS = 64;
const ITEM = { iterations: 1 };

/** Many jobs of one item, one by one from 64 submitters, until the last is durably completed; and one job of as many items. */
export async function measureThroughput({ client, countUnfinished }: BenchContext): Promise<Figure[]> {
  let submitted = 0;
  const started = performance.now();
  async function submitter(): Promise<void> {
    while (submitted < JOBS) {
      submitted += 1;
      await client.jobs(EXECUTE_JOB, { i: { name: 'Fibonacci', data: ITEM } });
    }
  }
  await Promise.all(Array.from({ length: SUBMITTERS }, submitter));
  const accepted = (performance.now() - started) / 1_000;
  while ((await countUnfinished()) > 0) await sleep(20);
  const done = (performance.now() - started) / 1_000;

  const bulkStarted = performance.now();
  const { executeJob } = await client.jobs<{ executeJob: { id: number } }>(EXECUTE_JOB, {
    i: { name: 'Fibonacci', data: Array.from({ length: JOBS }, () => ITEM) },
  });
  const { status, completed } = await client.untilEnded(executeJob.id);
  if (status !== 'COMPLETED' || completed !== JOBS)
    throw new Error(`the bulk job is ${status}, ${completed} items`);
  const bulk = (performance.now() - bulkStarted) / 1_000;
  return [
    {
      name: `${JOBS} jobs, ${SUBMITTERS} submitters, accepted`,
      value: round(JOBS / accepted, 0),
      unit: 'jobs/s',
    },
    {
      name: `${JOBS} jobs, ${SUBMITTERS} submitters, durably completed`,
      value: round(JOBS / done, 0),
      unit: 'jobs/s',
    },
    { name: `one job of ${JOBS} items, until seen completed`, value: round(JOBS / bulk, 0), unit: 'items/s' },
  ];
}
