import { createLogger } from '@jobber/shared/log';
import { createMetrics } from '@jobber/shared/telemetry';
import { expect, test } from 'vitest';
import { createJobsMetrics } from '../jobs-metrics.ts';
import { claimTestTasks } from '../testing/claim-test-tasks.ts';
import { acceptJob, openTestDatabase } from '../testing/open-test-database.ts';
import { type AttemptOutcome, createRecordOutcomes } from './record-outcomes.ts';

const database = await openTestDatabase();
const { pool } = database;
const nobody = () => {};

test('what is recorded counts once, as what became of it, also when another outcome of its request is refused', async () => {
  const registry = createMetrics('jobs');
  const metrics = createJobsMetrics(registry);
  const recordOutcomes = createRecordOutcomes({
    pool,
    metrics,
    waker: { start: nobody, expect: nobody },
    isLimited: () => false,
    notifications: {
      tasksReady: nobody,
      jobsChanged: nobody,
      jobsCancelled: nobody,
      onTasksReady: nobody,
      onJobsChanged: nobody,
      onJobsCancelled: nobody,
    },
    changes: { watch: () => nobody, tell: nobody },
    log: createLogger({ daemon: 'test', level: 'silent' }),
  });
  const ended = async () =>
    Object.fromEntries(
      (await metrics.attemptsEnded.get()).values.map(({ labels, value }) => [labels.outcome, value]),
    );

  for (let n = 0; n < 4; n += 1) await acceptJob(database, { options: { maxAttempts: 1 } });
  const { tasks } = await claimTestTasks(pool);
  const [first, second, refused, hopeless] = tasks.map(
    (task): AttemptOutcome => ({
      ...task,
      executorId: 'executor-1',
      decided: [[0, 1, null]],
      retry: [],
      interrupted: false,
      notStarted: false,
      deferred: false,
      counters: null,
    }),
  ) as [AttemptOutcome, AttemptOutcome, AttemptOutcome, AttemptOutcome];
  const unstorable: AttemptOutcome = { ...refused, decided: [[0, 1, '\u0000']] };
  await expect(recordOutcomes([first, unstorable, second])).rejects.toThrow();
  expect(await ended()).toEqual({ finished: 2 });

  const failure = { reason: 'Broken', message: 'it is broken' };
  expect(await recordOutcomes([refused, { ...hopeless, decided: [], retry: [[0, failure]] }])).toEqual([
    'recorded',
    'recorded',
  ]);
  expect(await ended()).toEqual({ finished: 3, buried: 1 });
  expect(await recordOutcomes([first])).toEqual(['superseded']);
  expect(await ended()).toEqual({ finished: 3, buried: 1, superseded: 1 });
});
