import { fibonacciWork, loadWork } from '../load/workloads.ts';
import type { World } from '../platform/world.ts';
import { waitUntil } from '../wait-until.ts';

/** PostgreSQL crashes right after jobs were accepted and outcomes acknowledged: what was answered must be there again. */
export async function crashAfterAnswers(world: World): Promise<void> {
  const { platform, submitter, random, client, during } = world;
  await during({ name: 'PostgreSQL crashes right after an answer' }, async () => {
    const ids = await Promise.all([
      submitter.submit(fibonacciWork(random, 3)),
      submitter.submit(loadWork(random, 5)),
      submitter.submit(fibonacciWork(random, 1)),
    ]);
    await waitUntil('one is completed', async () => {
      const jobs = await Promise.all(ids.map((id) => client.readJob(id ?? 0)));
      return jobs.some((job) => job?.status === 'COMPLETED');
    });
    await submitter.submit(fibonacciWork(random, 2));
    await platform.databases.crash();
  });
  await platform.untilReady();
}
