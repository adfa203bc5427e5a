import type { Logger } from '@jobber/shared/log';
import { type ClaimOrder, FIRST_OWNER } from '../transitions/choose-fairly.ts';
import type { DispatchedCount } from '../transitions/count-dispatched-tasks.ts';
import type { DispatchWithinLimits } from './dispatch-within-limits.ts';
import { createHintSender, type HintSenderParts } from './hint-sender.ts';
import { createHintWindow } from './hint-window.ts';
import type { Place } from './place-tasks.ts';

/** The relaying of one job type. */
export interface RelayedType {
  /** What the database says now. */
  counted(count: DispatchedCount): void;
  /** Dispatches what there is room for. @returns whether there may be more to dispatch at once */
  dispatch(): Promise<boolean>;
  /** Tasks have become ready. @returns whether there is room for some */
  becameReady(): boolean;
  /** A hint was followed. @returns whether there is room for some of the tasks that are ready */
  started(executorId: string): boolean;
  reserve(): Place | undefined;
  drain(): Promise<void>;
}

export interface RelayedTypeParts extends Omit<HintSenderParts, 'tasksPerHint'> {
  /** Whether all executors of the type follow messages that name several tasks. */
  readonly mayNameSeveral: () => boolean;
  readonly dispatch: DispatchWithinLimits;
  readonly log: Logger;
}

const MAX_BATCH = 500;

export function createRelayedType(slug: string, parts: RelayedTypeParts): RelayedType {
  const { log } = parts;
  const window = createHintWindow();
  let told = false;
  const sender = createHintSender({
    ...parts,
    tasksPerHint: () => (parts.mayNameSeveral() ? window.tasksPerHint() : 1),
    onConfirmed() {
      parts.onConfirmed();
      if (told) log.info({ type: slug }, 'the broker takes hints again');
      told = false;
    },
    onUnconfirmed() {
      parts.onUnconfirmed();
      if (!told) log.warn({ type: slug }, 'the broker does not confirm hints; their tasks stay ready');
      told = true;
    },
  });
  /** As it was counted, and what this replica knows to have changed since. */
  let dispatched = 0;
  let running = 0;
  /** Whether tasks may be ready: until a count or a dispatch has found none. */
  let ready = true;
  let order: ClaimOrder = 'oldest';
  let afterOwner = FIRST_OWNER;

  /** In large batches: the window is filled when it is half empty. */
  const isLow = () => dispatched <= window.size(running) / 2;
  const freeRoom = () => Math.min(window.size(running) - dispatched, sender.room(), MAX_BATCH);

  async function dispatch(): Promise<boolean> {
    const limit = freeRoom();
    if (!ready || !isLow() || limit <= 0) return false;
    order = order === 'oldest' ? 'widest' : 'oldest';
    const taken = await parts.dispatch({ types: [slug], limit, order, afterOwner });
    afterOwner = taken.lastOwner;
    ready = taken.more;
    dispatched += taken.tasks.length;
    for (const task of taken.tasks) sender.send(task);
    return taken.tasks.length > 0 && ready && isLow() && freeRoom() > 0;
  }

  return {
    dispatch,
    counted(count) {
      ({ dispatched, running, ready } = count);
    },
    becameReady() {
      ready = true;
      return isLow() && freeRoom() > 0;
    },
    started(executorId) {
      dispatched -= 1;
      window.started(executorId);
      return ready && isLow();
    },
    reserve() {
      // What is ready comes first; and while the broker fails, no task is to wait for it.
      if (ready || !sender.isSound() || dispatched >= window.size(running)) return undefined;
      dispatched += 1;
      return {
        stored: { dispatched: true },
        deliver: ({ jobId, seq, attempt, type, traceparent }) =>
          sender.send({ jobId, seq, attempt, type, traceparent }),
        cancel() {
          dispatched -= 1;
        },
      };
    },
    drain: () => sender.drain(),
  };
}
