import type { Publisher } from '@jobber/shared/broker';
import { createGroupCommit } from '@jobber/shared/group-commit';
import { type Hint, writeHint } from '@jobber/shared/hints';
import type { DispatchedTask } from '../transitions/dispatch-tasks.ts';

/** Publishes the hints of one job type. */
export interface HintSender {
  /** The task has been dispatched. What the broker does not confirm is recalled. */
  send(task: DispatchedTask): void;
  /** How many more hints may be dispatched at once: few after a failure, none for a while then. */
  room(): number;
  /** The broker has confirmed what it was sent last. */
  isSound(): boolean;
  /** Resolves when everything that was sent is confirmed or recalled. */
  drain(): Promise<void>;
}

export interface HintSenderParts {
  readonly publisher: Publisher;
  /** How many tasks one message may name now. */
  readonly tasksPerHint: () => number;
  readonly recall: (task: DispatchedTask) => Promise<void>;
  readonly onConfirmed: () => void;
  readonly onUnconfirmed: () => void;
}

const MAX_BATCH = 500;
/** Batches that are not confirmed yet. */
const CONCURRENCY = 4;
/** With so many it is tried whether the broker confirms again. */
const PROBE = 4;
const MIN_PAUSE_MS = 200;
const MAX_PAUSE_MS = 2_000;

export function createHintSender(parts: HintSenderParts): HintSender {
  let failing = false;
  let pauseMs = MIN_PAUSE_MS;
  let pausedUntil = 0;
  /** Sent, and neither confirmed nor recalled. */
  let pending = 0;
  const idle: (() => void)[] = [];

  const hints = createGroupCommit<DispatchedTask, boolean>({
    maxBatch: MAX_BATCH,
    concurrency: CONCURRENCY,
    async run(tasks) {
      const groups = chunksOf(tasks, parts.tasksPerHint());
      // A publisher that breaks its contract has confirmed nothing.
      const confirmed = await parts.publisher.publish(groups.map(toMessage)).catch(() => []);
      note(groups.every((_, index) => confirmed[index] === true));
      return groups.flatMap((group, index) => group.map(() => confirmed[index] === true));
    },
  });

  function note(sound: boolean): void {
    if (sound) {
      failing = false;
      pauseMs = MIN_PAUSE_MS;
      return;
    }
    // Batches that were under way together fail together: one pause for all of them.
    if (!failing || performance.now() >= pausedUntil) {
      pausedUntil = performance.now() + pauseMs;
      pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
    }
    failing = true;
  }

  async function sendOne(task: DispatchedTask): Promise<void> {
    pending += 1;
    if (await hints.submit(task)) parts.onConfirmed();
    else {
      parts.onUnconfirmed();
      await parts.recall(task);
    }
    pending -= 1;
    if (pending === 0) for (const wake of idle.splice(0)) wake();
  }

  return {
    send: (task) => void sendOne(task),
    room() {
      if (!failing) return Number.POSITIVE_INFINITY;
      return performance.now() < pausedUntil ? 0 : Math.max(0, PROBE - pending);
    },
    isSound: () => !failing,
    async drain() {
      if (pending > 0) await new Promise<void>((resolve) => idle.push(resolve));
    },
  };
}

function toMessage([first, ...more]: Group): Buffer {
  return writeHint(toHint(first), more.map(toHint));
}

function toHint({ jobId, seq, attempt, traceparent }: DispatchedTask): Hint {
  return { jobId, seq, attempt, ...(traceparent !== null && { traceparent }) };
}

type Group = readonly [DispatchedTask, ...DispatchedTask[]];

/** In their order. */
function chunksOf(tasks: readonly DispatchedTask[], size: number): Group[] {
  const groups: Group[] = [];
  for (let from = 0; from < tasks.length; from += size) groups.push(tasks.slice(from, from + size) as never);
  return groups;
}
