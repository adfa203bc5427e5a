import { setTimeout as sleep } from 'node:timers/promises';
import { describeUnknownError } from '@jobber/shared/errors';
import type { Scope } from '@jobber/shared/lifecycle';
import type { Logger } from '@jobber/shared/log';
import type { Pool } from 'pg';
import { buryTasks } from '../transitions/bury-tasks.ts';
import { findHopelessTasks } from '../transitions/find-hopeless-tasks.ts';
import { MAX_INTERRUPTIONS } from '../transitions/release-attempt.ts';
import { rescueTasks } from '../transitions/rescue-tasks.ts';
import type { Notifications } from './notifications.ts';

const INTERVAL_MS = 1_000;

/** The one path by which lost tasks come back: every replica looks for them, no two find the same one. */
export function startRescueLoop(options: {
  pool: Pool;
  notifications: Notifications;
  scope: Scope;
  log: Logger;
}): void {
  const { pool, notifications, log } = options;
  const stop = new AbortController();

  async function rescue(): Promise<void> {
    const rescued = await rescueTasks(pool, MAX_INTERRUPTIONS);
    for (const { type, executorId, ...ref } of rescued)
      log.warn({ ...ref, type, executorId }, 'task rescued');
    notifications.tasksReady(rescued.map(({ type }) => type));

    const hopeless = await findHopelessTasks(pool, MAX_INTERRUPTIONS);
    if (hopeless.length === 0) return;
    const error = {
      reason: 'Lost',
      message: `The task was lost with its executor ${MAX_INTERRUPTIONS} times`,
    };
    const jobs = await buryTasks(
      pool,
      hopeless.map((ref) => ({ ...ref, ...error })),
    );
    for (const jobId of jobs) log.error({ jobId }, 'task given up: it was lost too often');
    notifications.jobsChanged(jobs);
  }

  async function loop(): Promise<void> {
    while (!stop.signal.aborted) {
      await rescue().catch((error) => log.debug({ error: describeUnknownError(error) }, 'rescue failed'));
      await sleep(INTERVAL_MS, undefined, { signal: stop.signal }).catch(() => {});
    }
  }

  const looping = loop();
  options.scope.defer('rescue loop', async () => {
    stop.abort();
    await looping;
  });
}
