import { describeUnknownError } from '@jobber/shared/errors';
import type { Logger } from '@jobber/shared/log';
import { countEach } from '@jobber/shared/telemetry';
import type { Pool } from 'pg';
import type { JobsMetrics } from '../jobs-metrics.ts';
import type { Claimed } from '../transitions/claim-tasks.ts';
import type { StartedTask } from '../transitions/started-task.ts';
import type { ClaimWithinLimits } from './claim-within-limits.ts';
import { giveBackTasks } from './give-back-tasks.ts';
import type { Notifications } from './notifications.ts';
import type { ReservePlace } from './place-tasks.ts';
import { createSubscription, type Subscriber, type Subscription } from './subscription.ts';

/** The direct intake's source: ready tasks, claimed for executors as far as their credit goes. */
export interface TaskFeed {
  subscribe(subscriber: Subscriber): Subscription;
  /** A place at an executor for one task of this type that is about to be stored: its attempt can start with it. */
  readonly reserve: ReservePlace;
  /** Whether an executor could take a task of this type right now. */
  hasCredit(type: string): boolean;
  /** Ends all subscriptions: executors go to another replica. */
  stop(): void;
}

export function createTaskFeed(options: {
  pool: Pool;
  notifications: Notifications;
  claim: ClaimWithinLimits;
  metrics: Pick<JobsMetrics, 'tasksClaimed'>;
  log: Logger;
}): TaskFeed {
  const { pool, notifications, metrics, log } = options;
  /** Whoever was given a place last stands at the end. */
  const subscriptions = new Set<Subscription>();
  let stopped = false;
  let failing = false;
  notifications.onTasksReady((types) => {
    for (const subscription of subscriptions) subscription.onReady(types);
  });

  async function claim(asked: Parameters<ClaimWithinLimits>[0]): Promise<Claimed> {
    try {
      const claimed = await options.claim(asked);
      count(claimed.tasks);
      failing = false;
      return claimed;
    } catch (error) {
      // The poll comes back to it; until then the database has time to recover.
      if (!failing) log.warn({ error: describeUnknownError(error) }, 'claiming tasks failed; trying again');
      failing = true;
      return { tasks: [], more: false, lastOwner: asked.afterOwner };
    }
  }

  function count(tasks: readonly StartedTask[]): void {
    countEach(metrics.tasksClaimed, 'type', tasks, ({ type }) => type);
  }

  return {
    subscribe(subscriber) {
      const subscription = createSubscription(subscriber, {
        claim,
        giveBack: (tasks) => giveBackTasks({ pool, notifications }, tasks),
        onBegin() {
          subscriptions.add(subscription);
          // The feed may have stopped between the subscription and its first task.
          if (stopped) subscription.close();
        },
        onEnd: () => void subscriptions.delete(subscription),
      });
      return subscription;
    },
    reserve(type) {
      for (const subscription of subscriptions) {
        if (!subscription.reserve(type)) continue;
        subscriptions.delete(subscription);
        subscriptions.add(subscription);
        return {
          stored: { executorId: subscription.executorId },
          deliver(task) {
            count([task]);
            subscription.deliver(task);
          },
          cancel: () => subscription.grant(1),
        };
      }
      return undefined;
    },
    hasCredit: (type) => [...subscriptions].some((subscription) => subscription.hasCredit(type)),
    stop() {
      stopped = true;
      for (const subscription of subscriptions) subscription.close();
    },
  };
}
