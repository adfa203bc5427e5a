import { randomUUID } from 'node:crypto';
import { createTestDatabase, ensureTemplate } from '@jobber/compose/test-database';
import { type Database, openDatabase } from '@jobber/db/connection';
import { JobType, jobsDatabase } from '@jobber/db/jobs';
import { migrate } from '@jobber/db/migrate';
import { afterAll } from 'vitest';
import { acceptJobs, type NewJob, type NewJobOptions, type NewTask } from '../transitions/accept-jobs.ts';

export const OWNER = '00000000-0000-4000-8000-000000000001';

/** A database of the test file's own, with the jobs schema and one job type, `echo`. */
export async function openTestDatabase(): Promise<Database> {
  const template = await ensureTemplate('jobs', async (url) => {
    await migrate(jobsDatabase, url);
  });
  const { url } = await createTestDatabase({ template });
  const database = await openDatabase(jobsDatabase, { url });
  afterAll(database.close);
  await database.orm.em.fork().insert(JobType, ECHO);
  return database;
}

export const ECHO: JobType = {
  slug: 'echo',
  name: 'Echo',
  version: 1,
  description: 'Answers its input.',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  defaultItem: null,
  itemsPerTask: 2,
  maxAttempts: 3,
  backoffMs: 0,
  maxBackoffMs: 0,
  timeoutMs: 10_000,
  maxItems: 1_000,
  maxRunning: 0,
  offeredAt: new Date(),
  singleHintsAt: null,
};

/** Accepts one job of `tasks` tasks with `itemsPerTask` items each. @returns its id */
export async function acceptJob(
  { pool }: Database,
  { tasks = 1, itemsPerTask = 1, ...options }: Partial<NewJobAsked> = {},
): Promise<number> {
  const [acceptance] = await acceptJobs(pool, [newJob({ tasks, itemsPerTask, ...options })], TEST_LEASES);
  if (acceptance?.outcome !== 'accepted') throw new Error('not accepted');
  return acceptance.id;
}

/** Of the request that has made them. */
export const TEST_TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

export const TEST_LEASES = { leaseMs: 60_000, hintMs: 60_000 };

export interface NewJobAsked {
  readonly tasks: number;
  readonly itemsPerTask: number;
  readonly idempotencyKey?: string;
  readonly ownerId?: string;
  readonly options?: NewJobOptions;
}

export function newJob(asked: NewJobAsked): NewJob {
  const { tasks, itemsPerTask, idempotencyKey = randomUUID(), ownerId = OWNER, options = null } = asked;
  return {
    ownerId,
    type: ECHO.slug,
    size: tasks * itemsPerTask,
    uploadName: null,
    idempotencyKey,
    inputHash: Buffer.from('hash'),
    traceparent: TEST_TRACE,
    options,
    tasks: Array.from({ length: tasks }, (_, seq) => newTask(seq * itemsPerTask, itemsPerTask)),
  };
}

function newTask(firstItem: number, itemCount: number): NewTask {
  const items = JSON.stringify(
    Array.from({ length: itemCount }, (_, i) => ({ text: `item ${firstItem + i}` })),
  );
  return { firstItem, itemCount, items, byteFrom: null, byteTo: null, line: null };
}
