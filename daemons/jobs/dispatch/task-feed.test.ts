import { createLogger } from '@jobber/shared/log';
import { createMetrics } from '@jobber/shared/telemetry';
import type { Pool } from 'pg';
import { expect, test } from 'vitest';
import { createJobsMetrics } from '../jobs-metrics.ts';
import { FIRST_OWNER } from '../transitions/choose-fairly.ts';
import { createTaskFeed } from './task-feed.ts';

test('a feed that stops right after a subscription claims nothing for it, and it ends', async () => {
  let claims = 0;
  const nobody = {
    tasksReady() {},
    jobsChanged() {},
    jobsCancelled() {},
    onTasksReady() {},
    onJobsChanged() {},
    onJobsCancelled() {},
  };
  const feed = createTaskFeed({
    pool: {} as Pool,
    notifications: nobody,
    async claim() {
      claims += 1;
      return { tasks: [], more: false, lastOwner: FIRST_OWNER };
    },
    metrics: createJobsMetrics(createMetrics('jobs')),
    log: createLogger({ daemon: 'test', level: 'silent' }),
  });
  const gone = new AbortController();
  const subscription = feed.subscribe({ executorId: 'executor-1', types: ['echo'], gone: gone.signal });
  subscription.grant(1);
  feed.stop();
  const tasks = await Array.fromAsync(subscription.tasks());
  expect({ tasks, claims }).toEqual({ tasks: [], claims: 0 });
});
