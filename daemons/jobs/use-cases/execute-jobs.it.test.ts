import { randomUUID } from 'node:crypto';
import type { Identity } from '@jobber/shared/auth-guard';
import { createLogger } from '@jobber/shared/log';
import type { Pool } from 'pg';
import { beforeEach, expect, test } from 'vitest';
import { startAnswerTime } from '../answer-in-time.ts';
import { createJobTypeCatalog } from '../catalog/job-type-catalog.ts';
import { acceptJob, OWNER, openTestDatabase, TEST_LEASES } from '../testing/open-test-database.ts';
import { cancelJob } from '../transitions/cancel-job.ts';
import { createAcceptJob } from './accept-job.ts';
import { createExecuteJob, type JobRequest } from './execute-job.ts';

const { orm, pool } = await openTestDatabase();
const identity: Identity = { userId: OWNER, permissions: ['jobs:submit'] } as never;
const accepted: string[] = [];

beforeEach(async () => {
  accepted.length = 0;
  await pool.query('truncate job, job_tag, task, history');
});

/** `executeJobs` over a database. @returns the ids, or the reason of the refusal and the jobs that it names */
function execute(requests: readonly JobRequest[], database: Pool = pool): Promise<unknown> {
  const { executeJobs } = createExecuteJob({
    pool: database,
    catalog: createJobTypeCatalog(orm),
    checkInput: async () => ({
      size: 1,
      uploadName: null,
      tasks: [{ firstItem: 0, itemCount: 1, items: '[1]', byteFrom: null, byteTo: null, line: null }],
    }),
    acceptJob: createAcceptJob({
      pool: database,
      reserve: () => undefined,
      waker: { start() {}, expect() {} },
      notifications: { tasksReady: () => {} } as never,
      leases: TEST_LEASES,
      mayPlace: () => true,
      metrics: {
        jobsAccepted: {
          inc: ({ type }: { type: string }, count: number) => accepted.push(...Array(count).fill(type)),
        },
        batchSize: { observe() {} },
      } as never,
      log: createLogger({ daemon: 'jobs', level: 'silent' }),
    }),
  });
  return executeJobs(identity, requests, startAnswerTime(60_000)).then(
    (jobs) => jobs.map(({ existing }) => existing),
    (error) => ({ reason: error.reason, jobs: error.details?.jobs }),
  );
}

const echo = (text: string, others: object = {}): JobRequest => ({
  name: 'echo',
  data: { text },
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  ...others,
});

async function countRows(): Promise<unknown> {
  const { rows } = await pool.query(
    'select (select count(*) from job)::int as jobs, (select count(*) from task)::int as tasks',
  );
  return rows[0];
}

/** Runs `work` while another request has stored a job with this key and has not committed it; then it commits. */
async function whileKeyIsUsed<T>(key: string, work: () => Promise<T>): Promise<T> {
  const other = await pool.connect();
  await other.query('begin');
  await other.query(
    `insert into job (id, owner_id, type, status, size, idempotency_key, input_hash)
     values (nextval('job_id_seq'), $1, 'echo', 'IN_PROGRESS', 1, $2, '\\x00')`,
    [OWNER, key],
  );
  const working = work();
  await expect
    .poll(
      async () => {
        const { rowCount } = await pool.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rowCount;
      },
      { timeout: 60_000 },
    )
    .toBe(1);
  await other.query('commit');
  other.release();
  return await working;
}

test('a key that gets used for other input while the jobs are stored refuses them all', async () => {
  const key = randomUUID();
  const answer = await whileKeyIsUsed(key, () =>
    execute([echo('a'), echo('b', { idempotencyKey: key }), echo('c')]),
  );
  expect(answer).toMatchObject({
    reason: 'IDEMPOTENCY_CONFLICT',
    jobs: [{ index: 1, reason: 'IDEMPOTENCY_CONFLICT' }],
  });
  expect(await countRows()).toEqual({ jobs: 1, tasks: 0 });
  expect(accepted).toEqual([]);
});

test('a job that stood in the way and has ended meanwhile is passed over, and all jobs are stored once', async () => {
  const id = await acceptJob({ pool, orm } as never, { options: { uniqueFor: 'report' } });
  let looks = 0;
  /** Cancels the job between the attempt to store and the look at what stood in the way. */
  async function cancelAtFirstLook(name: string | undefined): Promise<void> {
    if (name !== 'find-existing-jobs') return;
    looks += 1;
    if (looks === 1) expect(await cancelJob(pool, id, OWNER)).toBe(true);
  }
  const answer = await execute(
    [echo('a'), echo('b', { uniqueFor: 'report' })],
    observed(pool, cancelAtFirstLook),
  );
  expect(answer).toEqual([false, false]);
  expect(looks).toBe(1);
  expect(await countRows()).toEqual({ jobs: 3, tasks: 3 });
  expect(accepted).toEqual(['echo', 'echo']);
});

/** The pool, with `before` called with the name of each statement of a transaction. */
function observed(real: Pool, before: (name: string | undefined) => Promise<void>): Pool {
  return {
    query: real.query.bind(real),
    async connect() {
      const client = await real.connect();
      return {
        async query(statement: { name?: string }) {
          await before(statement.name);
          return client.query(statement as never);
        },
        release: (failed: boolean) => client.release(failed),
      };
    },
  } as unknown as Pool;
}
