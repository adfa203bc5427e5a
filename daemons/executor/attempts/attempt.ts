import type { AttemptRef, LeasedTask } from '@jobber/proto/jobs/v1/jobs';
import type { Progress } from '@jobber/shared/progress';
import type { Abortable } from '../abortable.ts';
import type { Delivery } from '../intake/intake.ts';

/**
 * Why an attempt ends before its handler does.
 * - lost: a later attempt has the task. cancelled: the job is. Nobody waits for an outcome.
 * - lease over: Jobs could not be reached in time; it will give the task to someone else.
 * - timeout: the job type's own limit. stopping: the executor is.
 * - waiting: it could not begin soon. Jobs gives it to whoever can run it first.
 */
export type AbortCause = 'lost' | 'cancelled' | 'lease over' | 'timeout' | 'stopping' | 'waiting';

/** What an attempt's signal is aborted with. */
export class AttemptAborted extends Error {
  override readonly name = 'AttemptAborted';
  readonly abortCause: AbortCause;

  constructor(abortCause: AbortCause) {
    super(`The attempt was aborted: ${abortCause}`);
    this.abortCause = abortCause;
  }
}

/** One execution of a task by this executor. */
export interface Attempt extends Abortable {
  readonly task: LeasedTask;
  readonly ref: AttemptRef;
  /** Made when it is first asked for: it outweighs all else that a small attempt needs. */
  readonly signal: AbortSignal;
  /** Why it was aborted; undefined when it was not. */
  readonly abortCause: AbortCause | undefined;
  /** The first cause counts. */
  abort(cause: AbortCause): void;
  /** When the lease is surely over unless it is renewed, in milliseconds of `performance.now()`. */
  leaseUntil: number;
  /** Whether a heartbeat makes sense: false once the attempt is known to have no lease any more. */
  readonly holdsLease: boolean;
  /** Whether its handler has begun. */
  started: boolean;
  /** The last that its handler has said. */
  progress: Progress | undefined;
  settled(): void;
}

/** @throws TypeError when the delivery names no attempt: it breaks the contract */
export function createAttempt(delivery: Delivery): Attempt {
  const { ref } = delivery.task;
  if (!ref) throw new TypeError('A task without a reference to its attempt arrived');
  return new DeliveredAttempt(delivery, ref);
}

/** A class: of some hundreds that are held at once, each would have functions of its own. */
class DeliveredAttempt implements Attempt {
  readonly task: LeasedTask;
  readonly ref: AttemptRef;
  readonly settled: () => void;
  leaseUntil: number;
  started = false;
  progress: Progress | undefined = undefined;
  onAbort: (() => void) | undefined = undefined;
  abortReason: AttemptAborted | undefined = undefined;
  #controller: AbortController | undefined = undefined;

  constructor({ task, leasedAt, settled }: Delivery, ref: AttemptRef) {
    this.task = task;
    this.ref = ref;
    this.settled = settled;
    this.leaseUntil = leasedAt + task.leaseMs;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.abortReason) this.#controller.abort(this.abortReason);
    }
    return this.#controller.signal;
  }

  get abortCause(): AbortCause | undefined {
    return this.abortReason?.abortCause;
  }

  get holdsLease(): boolean {
    const cause = this.abortCause;
    return cause === undefined || cause === 'timeout' || cause === 'stopping' || cause === 'waiting';
  }

  abort(cause: AbortCause): void {
    if (this.abortReason) return;
    this.abortReason = new AttemptAborted(cause);
    this.#controller?.abort(this.abortReason);
    this.onAbort?.();
  }
}

/** What logs say about an attempt. */
export function describeAttempt({ task, ref }: Attempt): Record<string, unknown> {
  const { jobId, seq, attempt } = ref;
  return { jobId, seq, attempt, type: task.slug, ...(task.traceparent && { traceparent: task.traceparent }) };
}
