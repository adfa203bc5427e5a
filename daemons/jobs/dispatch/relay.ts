import { setTimeout as delay } from 'node:timers/promises';
import type { Broker } from '@jobber/shared/broker';
import { describeUnknownError } from '@jobber/shared/errors';
import { createGroupCommit } from '@jobber/shared/group-commit';
import type { Scope } from '@jobber/shared/lifecycle';
import type { Logger } from '@jobber/shared/log';
import type { Pool } from 'pg';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import type { JobsMetrics } from '../jobs-metrics.ts';
import { countDispatchedTasks, type DispatchedCount } from '../transitions/count-dispatched-tasks.ts';
import type { DispatchedTask } from '../transitions/dispatch-tasks.ts';
import { recallTasks } from '../transitions/recall-tasks.ts';
import type { DispatchWithinLimits } from './dispatch-within-limits.ts';
import type { Notifications } from './notifications.ts';
import type { Place, ReservePlace } from './place-tasks.ts';
import { createRelayedType, type RelayedType } from './relayed-type.ts';

/**
 * Tells a broker which tasks are ready: dispatches them and publishes a hint of each. Every replica does; no two find the
 * same task. Nobody waits for it: a job is accepted whatever becomes of its hints.
 */
export interface Relay {
  /** Begins its rounds, until `scope` is released. */
  start(scope: Scope): void;
  /** A place in the window of hints for one task of this type that is about to be stored. */
  readonly reserve: ReservePlace;
  /** The hint of a task of this type was followed by this executor. */
  started(type: string, executorId: string): void;
}

export interface RelayParts {
  readonly broker: Broker;
  readonly pool: Pool;
  readonly catalog: JobTypeCatalog;
  readonly notifications: Notifications;
  readonly dispatch: DispatchWithinLimits;
  /** Whether an executor with the direct intake takes tasks of a type right now: then they need no hint. */
  readonly isTakenDirectly: (type: string) => boolean;
  readonly metrics: Pick<JobsMetrics, 'hintsPublished' | 'hintsUnconfirmed'>;
  readonly log: Logger;
}

/** What other replicas have made ready or started is seen after this many milliseconds. */
const POLL_MS = 1_000;
const MAX_RECALLS = 500;
/** What hints that are under way get when the daemon stops. */
const LAST_HINTS_MS = 1_000;

export function createRelay(parts: RelayParts): Relay {
  const { broker, pool, catalog, notifications, metrics, log } = parts;
  const relayed = new Map<string, RelayedType>();
  const stop = new AbortController();
  let woken = false;
  let wake: () => void = () => {};
  let failing = false;

  notifications.onTasksReady((types) => {
    for (const type of types) if (relayed.get(type)?.becameReady() ?? true) awake();
  });

  const recalls = createGroupCommit<DispatchedTask, void>({
    maxBatch: MAX_RECALLS,
    concurrency: 1,
    async run(tasks) {
      notifications.tasksReady(await recallTasks(pool, tasks));
      return tasks.map(() => undefined);
    },
  });

  function relayedType(slug: string): RelayedType {
    const known = relayed.get(slug);
    if (known) return known;
    const created = createRelayedType(slug, {
      publisher: broker.openPublisher(slug),
      // When the database is away, the rescue finds the task.
      recall: (task) => recalls.submit(task).catch(() => {}),
      dispatch: parts.dispatch,
      mayNameSeveral: () => catalog.followsMore(slug),
      onConfirmed: () => metrics.hintsPublished.inc({ type: slug }),
      onUnconfirmed() {
        metrics.hintsUnconfirmed.inc({ type: slug });
      },
      log,
    });
    relayed.set(slug, created);
    return created;
  }

  function awake(): void {
    woken = true;
    wake();
  }

  /** @returns whether there may be more to dispatch at once */
  async function round(): Promise<boolean> {
    const types = (await catalog.all()).map(({ slug }) => slug);
    let more = false;
    for (const count of await countDispatchedTasks(pool, types)) {
      if (stop.signal.aborted) return false;
      if (await relay(count)) more = true;
    }
    return more;
  }

  async function relay(count: DispatchedCount): Promise<boolean> {
    const type = relayedType(count.type);
    type.counted(count);
    return parts.isTakenDirectly(count.type) ? false : await type.dispatch();
  }

  async function loop(): Promise<void> {
    while (!stop.signal.aborted) {
      woken = false;
      const more = await round().then(
        (answer) => {
          failing = false;
          return answer;
        },
        (error: unknown) => {
          if (!failing)
            log.warn({ error: describeUnknownError(error) }, 'relaying tasks failed; trying again');
          failing = true;
          return false;
        },
      );
      if (!more && !(woken && !failing)) await pause();
    }
  }

  async function pause(): Promise<void> {
    if (stop.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    wake = () => {};
  }

  return {
    start(scope) {
      const looping = loop();
      scope.defer('relay', async () => {
        stop.abort();
        wake();
        await looping;
        const drained = Promise.all([...relayed.values()].map((type) => type.drain()));
        await Promise.race([drained, delay(LAST_HINTS_MS, undefined, { ref: false })]);
      });
    },
    reserve(type): Place | undefined {
      if (stop.signal.aborted) return undefined;
      return relayed.get(type)?.reserve();
    },
    started(type, executorId) {
      if (relayed.get(type)?.started(executorId)) awake();
    },
  };
}
