import { createLogger } from '@jobber/shared/log';
import { expect, test } from 'vitest';
import { acceptJob, openTestDatabase } from '../testing/open-test-database.ts';
import { MAX_INTERRUPTIONS } from '../transitions/release-attempts.ts';
import { rescueLostTasks } from './rescue-lost-tasks.ts';

const database = await openTestDatabase();
const { pool } = database;

test('tasks that are given up are counted one by one, and the job that ends with them once', async () => {
  await acceptJob(database, { tasks: 3 });
  await pool.query(
    `update task set state = 'running', attempt = 1, executor_id = 'gone', interruptions = $1,
       lease_until = now() - interval '1 second'`,
    [MAX_INTERRUPTIONS - 1],
  );
  const buried: number[] = [];
  const ended: string[] = [];
  await rescueLostTasks({
    pool,
    notifications: { tasksReady() {}, jobsChanged() {} } as never,
    metrics: {
      tasksBuried: { inc: (count: number) => void buried.push(count) },
      jobsEnded: { inc: ({ status }: { status: string }) => void ended.push(status) },
    } as never,
    log: createLogger({ daemon: 'jobs', level: 'silent' }),
  });
  expect(buried).toEqual([3]);
  expect(ended).toEqual(['FAILED']);
});
