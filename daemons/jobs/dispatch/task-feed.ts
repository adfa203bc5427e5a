import { describeUnknownError } from '@jobber/shared/errors';
import type { Logger } from '@jobber/shared/log';
import type { Pool } from 'pg';
import type { JobsMetrics } from '../jobs-metrics.ts';
import { type ClaimOrder, claimTasks } from '../transitions/claim-tasks.ts';
import { releaseAttempt } from '../transitions/release-attempt.ts';
import type { StartedTask } from '../transitions/started-task.ts';
import type { Notifications } from './notifications.ts';

/** The direct intake's source: ready tasks, claimed for executors as far as their credit goes. */
export interface TaskFeed {
  /** `gone` aborts when nothing can be delivered any more. */
  subscribe(subscriber: { executorId: string; types: readonly string[]; gone: AbortSignal }): Subscription;
  /** Ends all subscriptions: executors go to another replica. */
  stop(): void;
}

export interface Subscription {
  /** The executor can take this many more tasks. */
  grant(credit: number): void;
  /** No more tasks are wanted. What has been claimed is still delivered, and then `tasks` ends. */
  close(): void;
  /** Batches of tasks whose attempts have been started for this executor. */
  tasks(): AsyncGenerator<StartedTask[], void, undefined>;
}

/** Tasks of one claim at most. */
const MAX_CLAIM = 100;
const MAX_CREDIT = 10_000;
/** Tasks whose backoff ends, and those whose notification was lost, are found after this many milliseconds. */
const POLL_MS = 1_000;

export function createTaskFeed(options: {
  pool: Pool;
  notifications: Notifications;
  leaseMs: number;
  metrics: Pick<JobsMetrics, 'tasksClaimed'>;
  log: Logger;
}): TaskFeed {
  const { pool, leaseMs, metrics, log } = options;
  const subscriptions = new Set<{ close(): void; onReady(types: ReadonlySet<string>): void }>();
  let stopped = false;
  let failing = false;
  options.notifications.onTasksReady((types) => {
    for (const { onReady } of subscriptions) onReady(types);
  });

  function subscribe({ executorId, types, gone }: Parameters<TaskFeed['subscribe']>[0]): Subscription {
    let order: ClaimOrder = 'oldest';
    let credit = 0;
    let ready = true;
    let closed = false;
    let wake: () => void = () => {};

    // The feed may stop between the subscription and its first task.
    const isOver = () => closed || stopped || gone.aborted;

    function close(): void {
      closed = true;
      wake();
    }

    function onReady(readyTypes: ReadonlySet<string>): void {
      if (!types.some((type) => readyTypes.has(type))) return;
      ready = true;
      wake();
    }

    /** Until there is credit, and reason to believe that there are tasks. */
    async function untilWorthwhile(): Promise<void> {
      while (!isOver() && (credit === 0 || !ready)) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(onReady, POLL_MS, new Set(types));
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    }

    async function claim(): Promise<StartedTask[]> {
      ready = false;
      order = order === 'oldest' ? 'widest' : 'oldest';
      const limit = Math.min(credit, MAX_CLAIM);
      try {
        const tasks = await claimTasks(pool, { types, limit, order, executorId, leaseMs });
        if (tasks.length === limit) ready = true;
        for (const { type } of tasks) metrics.tasksClaimed.inc({ type });
        failing = false;
        return tasks;
      } catch (error) {
        // The poll comes back to it; until then the database has time to recover.
        if (!failing) log.warn({ error: describeUnknownError(error) }, 'claiming tasks failed; trying again');
        failing = true;
        return [];
      }
    }

    async function* tasks(): AsyncGenerator<StartedTask[], void, undefined> {
      const subscription = { close, onReady };
      subscriptions.add(subscription);
      gone.addEventListener('abort', close);
      try {
        while (!isOver()) {
          await untilWorthwhile();
          if (isOver()) return;
          const claimed = await claim();
          if (gone.aborted) return await giveBack(claimed);
          credit -= claimed.length;
          if (claimed.length > 0) yield claimed;
        }
      } finally {
        gone.removeEventListener('abort', close);
        subscriptions.delete(subscription);
      }
    }

    /** Tasks that were claimed while the executor went away need not wait for their lease to expire. */
    async function giveBack(claimed: readonly StartedTask[]): Promise<void> {
      for (const { jobId, seq, attempt, type } of claimed) {
        const ref = { jobId, seq, attempt, decided: [], counters: null, error: null };
        const released = await releaseAttempt(pool, ref).catch(() => undefined);
        if (released) options.notifications.tasksReady([type]);
      }
    }

    return {
      grant(more) {
        credit = Math.min(MAX_CREDIT, credit + more);
        wake();
      },
      close,
      tasks,
    };
  }

  return {
    subscribe,
    stop() {
      stopped = true;
      for (const { close } of subscriptions) close();
    },
  };
}
