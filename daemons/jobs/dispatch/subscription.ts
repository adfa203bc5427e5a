import { type ClaimOrder, FIRST_OWNER } from '../transitions/choose-fairly.ts';
import type { Claimed } from '../transitions/claim-tasks.ts';
import type { StartedTask } from '../transitions/started-task.ts';
import type { ClaimWithinLimits } from './claim-within-limits.ts';

export interface Subscriber {
  readonly executorId: string;
  /** Slugs. */
  readonly types: readonly string[];
  /** Aborts when nothing can be delivered any more. */
  readonly gone: AbortSignal;
}

/** One executor's stream of tasks. */
export interface Subscription {
  readonly executorId: string;
  /** The executor can take this many more tasks. */
  grant(credit: number): void;
  /** Sets credit aside for one task of this type. False without credit, or while tasks may be waiting in the database. */
  reserve(type: string): boolean;
  /** Whether the executor would take a task of this type right now. */
  hasCredit(type: string): boolean;
  /** A task for which credit was set aside. */
  deliver(task: StartedTask): void;
  /** Tasks of these types have become ready. */
  onReady(types: ReadonlySet<string>): void;
  /** No more tasks are wanted. What has been claimed is still delivered, and then `tasks` ends. */
  close(): void;
  /** Batches of tasks whose attempts have been started for this executor. */
  tasks(): AsyncGenerator<StartedTask[], void, undefined>;
}

export interface SubscriptionParts {
  /** Never rejects. */
  readonly claim: (asked: Parameters<ClaimWithinLimits>[0]) => Promise<Claimed>;
  readonly giveBack: (tasks: readonly StartedTask[]) => Promise<void>;
  readonly onBegin: () => void;
  readonly onEnd: () => void;
}

/**
 * Tasks of one claim at most: less than half of what an executor holds of quick ones, so that some are claimed while others
 * run and the outcomes of others are written. With all in one claim, each would wait for the other.
 */
const MAX_CLAIM = 200;
const MAX_CREDIT = 10_000;
/** Tasks whose notification was lost are found after this many milliseconds. */
const POLL_MS = 1_000;

export function createSubscription(subscriber: Subscriber, parts: SubscriptionParts): Subscription {
  const { executorId, types, gone } = subscriber;
  const known = new Set(types);
  let credit = 0;
  /** Whether tasks may be ready in the database: after a notification, until a claim has left none. */
  let ready = true;
  /** Somebody takes what is delivered. */
  let begun = false;
  let closed = false;
  let order: ClaimOrder = 'oldest';
  let afterOwner = FIRST_OWNER;
  let claiming: Promise<void> | undefined;
  const outbox: StartedTask[] = [];
  let poll: NodeJS.Timeout | undefined;
  let wake: () => void = () => {};

  const isOver = () => !begun || closed || gone.aborted;

  function claimIfWorthwhile(): void {
    if (claiming || isOver() || credit === 0 || !ready) return;
    claiming = claim().finally(() => {
      claiming = undefined;
      claimIfWorthwhile();
      wake();
    });
  }

  async function claim(): Promise<void> {
    ready = false;
    order = order === 'oldest' ? 'widest' : 'oldest';
    const limit = Math.min(credit, MAX_CLAIM);
    credit -= limit;
    const { tasks, more, lastOwner } = await parts.claim({ types, limit, order, afterOwner, executorId });
    credit += limit - tasks.length;
    if (more) ready = true;
    afterOwner = lastOwner;
    if (tasks.length > 0) send(tasks);
  }

  function send(tasks: readonly StartedTask[]): void {
    outbox.push(...tasks);
    wake();
  }

  function onReady(readyTypes: ReadonlySet<string>): void {
    if (ready || !types.some((type) => readyTypes.has(type))) return;
    ready = true;
    claimIfWorthwhile();
  }

  function close(): void {
    closed = true;
    wake();
  }

  async function* tasks(): AsyncGenerator<StartedTask[], void, undefined> {
    begun = true;
    parts.onBegin();
    gone.addEventListener('abort', close);
    poll = setInterval(() => onReady(known), POLL_MS);
    claimIfWorthwhile();
    try {
      while (!gone.aborted) {
        if (outbox.length > 0) {
          yield outbox.splice(0);
          continue;
        }
        if (closed && !claiming) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      clearInterval(poll);
      gone.removeEventListener('abort', close);
      closed = true;
      parts.onEnd();
      await claiming;
      await parts.giveBack(outbox.splice(0));
    }
  }

  return {
    executorId,
    tasks,
    onReady,
    close,
    grant(more) {
      credit = Math.min(MAX_CREDIT, credit + more);
      claimIfWorthwhile();
    },
    reserve(type) {
      if (isOver() || ready || claiming || credit === 0 || !known.has(type)) return false;
      credit -= 1;
      return true;
    },
    hasCredit: (type) => !isOver() && credit > 0 && known.has(type),
    deliver(task) {
      if (!isOver()) send([task]);
      else void parts.giveBack([task]);
    },
  };
}
