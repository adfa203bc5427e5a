import { describe, expect, test } from 'vitest';
import { dozeWork, loadWork } from '../load/workloads.ts';
import { waitUntil } from '../wait-until.ts';
import { countTasks } from './steps.ts';
import { useWorld } from './test-world.ts';

describe('an executor that sleeps for longer than its lease', () => {
  /** Long enough for executors on a busy machine to keep their leases, short enough to be outlasted. */
  const world = useWorld('zombies', { leaseSeconds: 4 });

  test('and wakes when others have done its work, changes nothing', async () => {
    const { platform, submitter, during, hold } = world.get();
    const [zombie, other] = platform.replicas('executor');
    await during({ name: 'an executor sleeps until its work is done by another' }, async () => {
      const jobId = (await submitter.submit(dozeWork(8, 6_000))) ?? 0;
      await waitUntil('the tasks run', async () => (await countTasks(world.get(), jobId)).running === 8);
      zombie?.signal('SIGSTOP');
      await waitUntil(
        'the other one has done everything',
        async () => (await countTasks(world.get(), jobId)).succeeded === 8,
        { withinMs: 120_000 },
      );
    });
    await hold();
    expect([zombie?.ends, other?.ends]).toEqual([[], []]);
  });

  test('and wakes in the middle of a load which another has written, makes no product twice', async () => {
    const { platform, submitter, random, during, hold } = world.get();
    const [zombie, other] = platform.replicas('executor');
    const { edges, databases } = platform;
    await during({ name: 'an executor sleeps between its products and their outcome' }, async () => {
      other?.signal('SIGSTOP');
      edges['executor-products'].inject({ kind: 'black hole' });
      const jobId = (await submitter.submit(loadWork(random, 50))) ?? 0;
      await waitUntil('it is given away', async () => (await countTasks(world.get(), jobId)).running > 0);
      zombie?.signal('SIGSTOP');
      other?.signal('SIGCONT');
      edges['executor-products'].heal();
      const status = 'select 1 from job where id = $1 and status = $2';
      await waitUntil(
        'the other one has loaded it',
        async () => (await databases.query('jobs', status, [jobId, 'COMPLETED'])).length > 0,
        { withinMs: 120_000 },
      );
    });
    await hold();
  });
});

describe('a task that outlasts its lease', () => {
  /** Not to be outlasted by an executor, also where the machine stands still for some seconds. */
  const LEASE_SECONDS = 10;
  const world = useWorld('long tasks', { leaseSeconds: LEASE_SECONDS });

  test('keeps it: it is run once, and by one executor', async () => {
    const { platform, submitter, hold } = world.get();
    const jobId = (await submitter.submit(dozeWork(3, 2_500 * LEASE_SECONDS))) ?? 0;
    await hold();
    const sql = 'select attempt, interruptions from task where job_id = $1';
    const once = { attempt: 1, interruptions: 0 };
    expect(await platform.databases.query('jobs', sql, [jobId])).toEqual([once, once, once]);
  });
});
