import { describeUnknownError } from '@jobber/shared/errors';
import type { Logger } from '@jobber/shared/log';
import type { Pool } from 'pg';
import { claimTasks } from '../transitions/claim-tasks.ts';
import { releaseAttempt } from '../transitions/release-attempt.ts';
import type { StartedTask } from '../transitions/started-task.ts';
import type { Notifications } from './notifications.ts';

/** The direct intake's source: ready tasks, claimed for executors as far as their credit goes. */
export interface TaskFeed {
  subscribe(subscriber: { executorId: string; types: readonly string[]; signal: AbortSignal }): Subscription;
  /** Ends all subscriptions: executors go to another replica. */
  stop(): void;
}

export interface Subscription {
  /** The executor can take this many more tasks. */
  grant(credit: number): void;
  /** Batches of tasks whose attempts have been started for this executor. */
  tasks(): AsyncGenerator<StartedTask[], void, undefined>;
}

/** Tasks of one claim at most. */
const MAX_CLAIM = 100;
/** Tasks whose backoff ends, and those whose notification was lost, are found after this many milliseconds. */
const POLL_MS = 1_000;

export function createTaskFeed(options: {
  pool: Pool;
  notifications: Notifications;
  leaseMs: number;
  log: Logger;
}): TaskFeed {
  const stop = new AbortController();
  const wakers = new Set<(types: ReadonlySet<string>) => void>();
  options.notifications.onTasksReady((types) => {
    for (const wake of wakers) wake(types);
  });

  function subscribe({ executorId, types, signal }: Parameters<TaskFeed['subscribe']>[0]): Subscription {
    const ended = AbortSignal.any([signal, stop.signal]);
    let credit = 0;
    let ready = true;
    let wake: () => void = () => {};

    function onReady(readyTypes: ReadonlySet<string>): void {
      if (!types.some((type) => readyTypes.has(type))) return;
      ready = true;
      wake();
    }

    /** Until there is credit, and reason to believe that there are tasks. */
    async function untilWorthwhile(): Promise<void> {
      let timer: NodeJS.Timeout | undefined;
      while (!ended.aborted && (credit === 0 || !ready)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          ended.addEventListener('abort', wake, { once: true });
          clearTimeout(timer);
          timer = setTimeout(() => {
            ready = true;
            resolve();
          }, POLL_MS);
        });
        ended.removeEventListener('abort', wake);
      }
      clearTimeout(timer);
    }

    async function claim(): Promise<StartedTask[]> {
      ready = false;
      const limit = Math.min(credit, MAX_CLAIM);
      try {
        const tasks = await claimTasks(options.pool, { types, limit, executorId, leaseMs: options.leaseMs });
        if (tasks.length === limit) ready = true;
        return tasks;
      } catch (error) {
        // The poll comes back to it; until then the database has time to recover.
        options.log.warn({ error: describeUnknownError(error) }, 'claiming tasks failed');
        return [];
      }
    }

    async function* tasks(): AsyncGenerator<StartedTask[], void, undefined> {
      wakers.add(onReady);
      let undelivered: StartedTask[] = [];
      try {
        for (;;) {
          await untilWorthwhile();
          if (ended.aborted) return;
          undelivered = await claim();
          if (ended.aborted) return;
          if (undelivered.length === 0) continue;
          const delivered = undelivered;
          undelivered = [];
          credit -= delivered.length;
          yield delivered;
        }
      } finally {
        wakers.delete(onReady);
        await giveBack(undelivered);
      }
    }

    /** Tasks that were claimed while the executor went away need not wait for their lease to expire. */
    async function giveBack(undelivered: readonly StartedTask[]): Promise<void> {
      for (const { jobId, seq, attempt, type } of undelivered) {
        const ref = { jobId, seq, attempt, decided: [], counters: null, error: null };
        const released = await releaseAttempt(options.pool, ref).catch(() => false);
        if (released) options.notifications.tasksReady([type]);
      }
    }

    return {
      grant(more) {
        credit += more;
        wake();
      },
      tasks,
    };
  }

  return { subscribe, stop: () => stop.abort() };
}
