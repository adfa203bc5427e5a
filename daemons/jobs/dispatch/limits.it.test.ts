import type { JobTypeOffer, LeasedTask } from '@jobber/proto/jobs/v1/jobs';
import { expect, test } from 'vitest';
import { startFakeExecutor, success } from '../testing/fake-executor.ts';
import { startTestJobs, type TestJobs } from '../testing/test-jobs.ts';

const jobs = await startTestJobs();
const replica = await startTestJobs({ beside: jobs });
const limited = await startTestJobs({ maxRunningPerUser: 3 });
const limitedReplica = await startTestJobs({ beside: limited, maxRunningPerUser: 3 });

const narrow: JobTypeOffer = {
  name: 'Narrow',
  slug: 'narrow',
  version: 1,
  description: 'Few at a time.',
  inputSchemaJson: '{"type":"object"}',
  defaultItemJson: '{}',
  itemsPerTask: 1,
  retry: { maxAttempts: 1, backoffMs: 0, maxBackoffMs: 0 },
  limits: { timeoutMs: 5_000, maxItems: 1_000, maxRunning: 4 },
};

async function submit(to: TestJobs, user: ReturnType<TestJobs['auth']['user']>, name: string, count: number) {
  const data = Array.from({ length: count }, () => ({ text: 'a' }));
  const answer = await to.ask(
    user,
    'mutation ($input: ExecuteJobInput!) { executeJob(executeJobInput: $input) { id } }',
    { input: { name, data } },
  );
  return answer.data.executeJob.id as number;
}

/**
 * Two executors, one at each replica, with more slots than the limits allow; each runs whatever it gets.
 * @param mostRunning reads from the database what must not grow above the limit
 */
async function runBeside(
  replicas: readonly TestJobs[],
  slugs: string[],
  mostRunning: string,
): Promise<number> {
  const { pool } = (replicas[0] as TestJobs).database;
  let most = 0;
  const executors = replicas.map((of, n) => ({
    client: of.client(),
    executor: startFakeExecutor(of.client(), { executorId: `executor-${n}`, slugs }),
  }));
  for (const { executor } of executors) executor.grant(10);
  for (let left = 1; left > 0; ) {
    const { rows } = await pool.query(
      `select (${mostRunning}) as running, (select count(*)::int from job where ended_at is null) as left`,
    );
    most = Math.max(most, rows[0].running ?? 0);
    left = rows[0].left;
    for (const [n, { client, executor }] of executors.entries()) {
      const tasks: LeasedTask[] = executor.tasks.splice(0, 2);
      if (tasks.length === 0) continue;
      await client.acknowledgeJob({
        executorId: `executor-${n}`,
        outcomes: tasks.map((task) => success(task)),
      });
      executor.grant(tasks.length);
    }
  }
  for (const { executor } of executors) await executor.close();
  return most;
}

test('of a type with a limit never more tasks run, with two replicas and two executors, and none waits beside room', async () => {
  await jobs.client().registerJobTypes({ executorId: 'executor-1', types: [narrow] });
  for (const to of [jobs, replica]) await submit(to, jobs.auth.user(), 'narrow', 60);
  const startedAt = performance.now();
  const running = `select count(*)::int from task where type = 'narrow' and state = 'running'`;
  const most = await runBeside([jobs, replica], ['narrow', 'echo'], running);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(4);
  // 120 tasks, at most four at a time: were each turn found by a poll, they would take half a minute.
  expect(performance.now() - startedAt).toBeLessThan(20_000);
});

test('of a user never more tasks run than allowed, of whatever types, and nobody else waits for that', async () => {
  await limited.client().registerJobTypes({
    executorId: 'executor-1',
    types: [{ ...narrow, limits: { ...narrow.limits!, maxRunning: 0 } }],
  });
  const users = [limited.auth.user(), limited.auth.user()] as const;
  for (const user of users) {
    await submit(limited, user, 'narrow', 30);
    await submit(limitedReplica, user, 'echo', 40);
  }
  const startedAt = performance.now();
  const running = `select max(count) from (
    select count(*)::int as count from task where state = 'running' group by owner_id) owners`;
  const most = await runBeside([limited, limitedReplica], ['narrow', 'echo'], running);
  expect(most).toBe(3);
  expect(performance.now() - startedAt).toBeLessThan(20_000);
});

test("20,000 items of one user do not delay another user's job, nor a small job of the same user", async () => {
  const [ada, bob] = [jobs.auth.user(), jobs.auth.user()];
  for (let n = 0; n < 20; n += 1) await submit(jobs, ada, 'echo', 1_000);
  const executor = startFakeExecutor(jobs.client());
  const client = jobs.client();
  executor.grant(10);
  let done = 0;
  async function runUntil(id: number): Promise<number> {
    const before = done;
    for (let ended = false; !ended; ) {
      await expect.poll(() => executor.tasks.length).toBeGreaterThan(0);
      const tasks = executor.tasks.splice(0);
      await client.acknowledgeJob({ executorId: 'executor-1', outcomes: tasks.map((task) => success(task)) });
      executor.grant(tasks.length);
      done += tasks.length;
      ended = tasks.some(({ ref }) => ref?.jobId === id);
    }
    return done - before;
  }
  for (const user of [bob, ada, bob, ada]) {
    const id = await submit(jobs, user, 'echo', 1);
    // Of 10,000 tasks that came before.
    expect(await runUntil(id)).toBeLessThan(100);
  }
  await executor.close();
});
