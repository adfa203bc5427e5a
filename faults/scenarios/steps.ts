import type { Work } from '../load/submitter.ts';
import { dozeWork, loadWork } from '../load/workloads.ts';
import type { World } from '../platform/world.ts';
import { waitUntil } from '../wait-until.ts';

/** The moments of a job at which something breaks. Each brings a new job there and returns at that moment. */
export const STEPS = {
  'its row is committed and not dispatched': notDispatched,
  'half of a large job is dispatched': halfDispatched,
  'it is executed': midExecution,
  'its product is committed and the reply is lost': replyLost,
  'its outcome is committed and not acknowledged': notAcknowledged,
} satisfies Record<string, (world: World) => Promise<void>>;

export type Step = keyof typeof STEPS;

async function notDispatched(world: World): Promise<void> {
  const { edges } = world.platform;
  edges['executor-jobs'].inject({ kind: 'cut' });
  const executors = world.platform.replicas('executor');
  await waitUntil('no executor has a stream', async () => {
    const ready = await Promise.all(executors.map((executor) => executor.isReady()));
    return !ready.includes(true);
  });
  await submit(world, dozeWork(4, 10));
}

async function halfDispatched(world: World): Promise<void> {
  const items = 40;
  const jobId = await submit(world, dozeWork(items, 60));
  await waitUntil(
    'half of the tasks are dispatched',
    async () => (await countTasks(world, jobId)).begun >= items / 2,
  );
}

async function midExecution(world: World): Promise<void> {
  const jobId = await submit(world, dozeWork(6, 600));
  await waitUntil('a task runs', async () => (await countTasks(world, jobId)).running > 0);
}

async function replyLost(world: World): Promise<void> {
  await connectExecutors(world);
  world.platform.edges['executor-products'].inject({ kind: 'replies dropped' });
  const jobId = await submit(world, loadWork(world.random));
  await waitUntil('its products are committed', async () => {
    const sql = 'select 1 from effect where job_id = $1 limit 1';
    return (await world.platform.databases.query('products', sql, [jobId])).length > 0;
  });
}

/** A connection cannot be made without replies: without one, no call would get to Products. */
async function connectExecutors(world: World): Promise<void> {
  const { edges, replicas } = world.platform;
  await waitUntil(
    'each executor has a connection to Products',
    async () => {
      if (edges['executor-products'].connections() >= replicas('executor').length) return true;
      await submit(world, loadWork(world.random, 1));
      return false;
    },
    { everyMs: 250 },
  );
}

async function notAcknowledged(world: World): Promise<void> {
  // All of them are given away at once, and they end one after the other: when one has ended, the others surely run.
  const items = Array.from({ length: 6 }, (_, index) => ({ ms: 200 + 300 * index }));
  const jobId = await submit(world, { name: 'Doze', slug: 'doze', items });
  const { succeeded } = await waitUntil('one task has ended and others run', async () => {
    const counts = await countTasks(world, jobId);
    return counts.succeeded > 0 && counts.running > 0 && counts;
  });
  world.platform.edges['executor-jobs'].inject({ kind: 'replies dropped' });
  await waitUntil(
    'another outcome is committed',
    async () => (await countTasks(world, jobId)).succeeded > succeeded,
  );
}

async function submit({ submitter }: World, work: Work): Promise<number> {
  const jobId = await submitter.submit(work);
  if (jobId === undefined) throw new Error(`${work.name} was refused.`);
  return jobId;
}

/** How far the tasks of a job are, as it is stored. */
export async function countTasks(
  { platform }: World,
  jobId: number,
): Promise<{ running: number; succeeded: number; begun: number }> {
  const sql = `
    select count(*) filter (where state = 'running')::int as running,
      count(*) filter (where state = 'succeeded')::int as succeeded,
      count(*) filter (where state in ('running', 'succeeded'))::int as begun
    from task where job_id = $1`;
  const [row] = await platform.databases.query<{ running: number; succeeded: number; begun: number }>(
    'jobs',
    sql,
    [jobId],
  );
  return row ?? { running: 0, succeeded: 0, begun: 0 };
}
