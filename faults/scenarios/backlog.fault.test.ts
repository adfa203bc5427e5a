import { expect, test } from 'vitest';
import { dozeWork, fibonacciWork, loadWork } from '../load/workloads.ts';
import { waitUntil } from '../wait-until.ts';
import { useWorld } from './test-world.ts';

const world = useWorld('backlog', { executors: 1 });
/** A small job in front of whom a giant one stands still ends within this time. */
const SMALL_MS = 60_000;

test('50,000 items that nobody takes wait, and are then done by one slow executor while it is killed', async () => {
  const { platform, submitter, during, hold } = world.get();
  const [executor] = platform.replicas('executor');
  const items = Array.from({ length: 10_000 }, () => ({}));
  await during({ name: 'a slow consumer behind 50,000 items' }, async () => {
    executor?.signal('SIGSTOP');
    const ids = await Promise.all(
      Array.from({ length: 5 }, () => submitter.submit({ name: 'Noop', slug: 'noop', items })),
    );
    expect(ids).not.toContain(undefined);
  });
  const decided = async () => {
    const sql = 'select sum(completed)::int as done from job';
    return (await platform.databases.query<{ done: number }>('jobs', sql))[0]?.done ?? 0;
  };
  await waitUntil('a part of it is done', async () => (await decided()) > 5_000);
  await during({ name: 'the slow consumer is killed' }, async () => executor?.signal('SIGKILL'));
  await hold();
  expect(await decided()).toBe(50_000);
});

test('one giant load in front does not keep small jobs from ending within a minute', async () => {
  const { platform, submitter, random, client, hold } = world.get();
  const giant = await submitter.submit(loadWork(random, 20_000, true));
  expect(giant).toBeDefined();
  const works = [fibonacciWork(random, 3), loadWork(random, 5), dozeWork(2, 50), fibonacciWork(random, 1)];
  for (const work of works) {
    const started = performance.now();
    const jobId = (await submitter.submit(work)) ?? 0;
    await waitUntil(
      'the small job is completed',
      async () => (await client.readJob(jobId))?.status === 'COMPLETED',
      {
        withinMs: SMALL_MS,
      },
    );
    expect(performance.now() - started).toBeLessThan(SMALL_MS);
  }
  const sql = 'select 1 from product where job_id = $1 limit 1';
  await waitUntil(
    'the giant moves, too',
    async () => (await platform.databases.query('products', sql, [giant])).length > 0,
  );
  await hold();
});
