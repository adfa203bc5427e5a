import type { AttemptRef, LeasedTask } from '@jobber/proto/jobs/v1/jobs';
import type { Progress } from '@jobber/shared/progress';
import type { Delivery } from '../intake/intake.ts';

/**
 * Why an attempt ends before its handler does.
 * - lost: a later attempt has the task. cancelled: the job is. Nobody waits for an outcome.
 * - lease over: Jobs could not be reached in time; it will give the task to someone else.
 * - timeout: the job type's own limit. stopping: the executor is.
 */
export type AbortCause = 'lost' | 'cancelled' | 'lease over' | 'timeout' | 'stopping';

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
export interface Attempt {
  readonly task: LeasedTask;
  readonly ref: AttemptRef;
  readonly signal: AbortSignal;
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
export function createAttempt({ task, leasedAt, settled }: Delivery): Attempt {
  if (!task.ref) throw new TypeError('A task without a reference to its attempt arrived');
  const controller = new AbortController();
  return {
    task,
    ref: task.ref,
    signal: controller.signal,
    abort(cause) {
      if (!controller.signal.aborted) controller.abort(new AttemptAborted(cause));
    },
    leaseUntil: leasedAt + task.leaseMs,
    get holdsLease() {
      const cause = abortCauseOf(controller.signal);
      return cause === undefined || cause === 'timeout' || cause === 'stopping';
    },
    started: false,
    progress: undefined,
    settled,
  };
}

/** Why the attempt was aborted; undefined when it was not. */
export function abortCauseOf(signal: AbortSignal): AbortCause | undefined {
  return signal.aborted && signal.reason instanceof AttemptAborted ? signal.reason.abortCause : undefined;
}

/** What logs say about an attempt. */
export function describeAttempt({ task, ref }: Attempt): Record<string, unknown> {
  const { jobId, seq, attempt } = ref;
  return { jobId, seq, attempt, type: task.slug, ...(task.traceparent && { traceparent: task.traceparent }) };
}
