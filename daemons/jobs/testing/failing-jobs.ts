import { type AttemptOutcome, ItemStatus, type LeasedTask } from '@jobber/proto/jobs/v1/jobs';
import { expect } from 'vitest';
import type { TestUser } from './fake-auth.ts';
import { startFakeExecutor, success } from './fake-executor.ts';
import { type Answer, reasonOf, type TestJobs } from './test-jobs.ts';

/** Whether an item of a task fails for good. */
export type Judge = (task: LeasedTask, offset: number) => boolean;
export const everyItem: Judge = () => true;
export const noItem: Judge = () => false;

/** Jobs of echo whose items fail as a test wants it, and what can be asked about them. */
export interface FailingJobs {
  /** Runs all tasks that are ready. */
  runAll(fails: Judge, reason?: string, message?: string): Promise<void>;
  /** Accepts a job of `count` items. @returns its id */
  accept(user: TestUser, count: number, options?: object): Promise<number>;
  /** A job of which every item has failed. @returns its id */
  failed(user: TestUser, count?: number, options?: object): Promise<number>;
  /** The ids of the user's dead letters, or the reason of the refusal. */
  list(user: TestUser, filter?: object, page?: object): Promise<unknown>;
  show(user: TestUser | undefined, id: string, fields?: string): Promise<Answer>;
  redrive(user: TestUser, asked: object): Promise<Answer>;
  retry(user: TestUser, id: number): Promise<Answer>;
  /** The job, as an operator sees it. */
  read(id: number): Promise<{ status: string; completed: number; failed: number; round: number }>;
}

const REDRIVE = `mutation ($ids: [ID!], $filter: DeadLetterFilter, $all: Boolean, $dryRun: Boolean) {
  redriveDeadLetters(ids: $ids, filter: $filter, all: $all, dryRun: $dryRun) {
    matched redriven items jobs refused { id reason message } remaining
  }
}`;
const RETRY = `mutation ($id: Float!) {
  retryJob(id: $id) { id status failed completed round endedAt }
}`;
export const DEAD_LETTERS = `query ($filter: DeadLetterFilter, $limit: Int, $before: ID) {
  deadLetters(filter: $filter, limit: $limit, before: $before) { id }
}`;

export function createFailingJobs({ ask, auth, database, client: createClient }: TestJobs): FailingJobs {
  const client = createClient();
  const operator = auth.user('operator');

  async function countUnfinished(): Promise<number> {
    const { rows } = await database.pool.query(
      "select count(*)::int as n from task where state in ('ready', 'running')",
    );
    return rows[0].n;
  }

  async function runAll(fails: Judge, reason = 'Broken', message = 'It is broken'): Promise<void> {
    const executor = startFakeExecutor(client);
    executor.grant(1_000);
    while ((await countUnfinished()) > 0) {
      await expect.poll(() => executor.tasks.length).toBeGreaterThan(0);
      const outcomes = executor.tasks.splice(0).map((task): AttemptOutcome => {
        const outcome = success(task, 'fine');
        const items = outcome.items.map((item) =>
          fails(task, item.offset)
            ? { ...item, status: ItemStatus.FAILED, resultJson: '', error: { reason, message } }
            : item,
        );
        return { ...outcome, items };
      });
      await client.acknowledgeJob({ executorId: 'executor-1', outcomes });
    }
    await executor.close();
  }

  async function accept(user: TestUser, count: number, options: object = {}): Promise<number> {
    const data = Array.from({ length: count }, (_, i) => ({ text: `${i}`, n: i }));
    const answer = await ask(
      user,
      'mutation ($input: ExecuteJobInput!) { executeJob(executeJobInput: $input) { id } }',
      { input: { name: 'echo', data, ...options } },
    );
    return answer.data.executeJob.id;
  }

  return {
    runAll,
    accept,
    async failed(user, count = 2, options = {}) {
      const id = await accept(user, count, options);
      await runAll(everyItem);
      return id;
    },
    async list(user, filter = {}, page = {}) {
      const answer = await ask(user, DEAD_LETTERS, { filter, ...page });
      return answer.errors ? reasonOf(answer) : answer.data.deadLetters.map(({ id }: { id: string }) => id);
    },
    show: (user, id, fields = 'id') =>
      ask(user, `query ($id: ID!) { deadLetter(id: $id) { ${fields} } }`, { id }),
    redrive: (user, asked) => ask(user, REDRIVE, asked),
    retry: (user, id) => ask(user, RETRY, { id }),
    async read(id) {
      const query = 'query ($id: Float!) { job(id: $id) { status completed failed round } }';
      return (await ask(operator, query, { id })).data.job;
    },
  };
}
