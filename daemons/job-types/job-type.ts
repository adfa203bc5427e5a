import type { ProductItem, ProductOutcome } from '@jobber/proto/products/v1/products';

/** A job type: what it is called, what it takes, how it is run. One small file each, and one line in the registry. */
export interface JobType<Item = unknown> {
  /** For example LoadProducts. */
  readonly name: string;
  /** For example load-products: in the CLI and in topics. */
  readonly slug: string;
  /** Grows with each change of schema or handler. */
  readonly version: number;
  readonly description: string;
  /** JSON Schema (2020-12) of one item; the CLI makes flags of its properties. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
  /** What is run when a request names no item. */
  readonly defaultItem?: Item;
  readonly itemsPerTask: number;
  readonly retry: RetryPolicy;
  readonly limits: TypeLimits;
  /**
   * `thread`: CPU-bound, in a worker thread. `inline`: waits for others, on the daemon's event loop. `process`: in a child
   * process, for what is not trusted, needs much memory or may crash in native code, which a thread would not survive.
   */
  readonly runs: 'thread' | 'inline' | 'process';
  /**
   * What one task may take, in MiB, when it runs in a thread (JavaScript objects) or a process (buffers and native memory,
   * too). Without it: EXECUTOR_THREAD_MEMORY_MB.
   */
  readonly memoryMb?: number;
  /** Runs the items of a task. Effects must be idempotent by (job id, item index). */
  run(context: TaskContext<Item>): Promise<TaskResult>;
}

export interface RetryPolicy {
  /** Attempts that count before an item has failed for good. */
  readonly maxAttempts: number;
  /** Wait before the second attempt in milliseconds; doubles with each further one. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}

export interface TypeLimits {
  /** One attempt of a task, in milliseconds. */
  readonly timeoutMs: number;
  /** Items of one job. */
  readonly maxItems: number;
  /** Tasks that run at the same time at most, on all executors together; without it there is no limit. */
  readonly maxRunning?: number;
}

/** What a handler sees of the attempt it runs. */
export interface TaskContext<Item> {
  readonly jobId: number;
  /** UUID. */
  readonly ownerId: string;
  /**
   * W3C Trace Context of the request that has made the job: send it on as the header `traceparent`, and the trace goes on.
   * Undefined for a job of a release that kept none.
   */
  readonly traceparent?: string | undefined;
  /** `index` is the item's index in the job; (jobId, index) identifies it for ever. */
  readonly items: readonly { readonly index: number; readonly value: Item }[];
  /** Aborted when the attempt has lost its lease, ran out of time, was cancelled or the executor stops. */
  readonly signal: AbortSignal;
  /**
   * Writes a line to the executor's log, with the job, the task, the attempt and the type. At most 200 lines of a task, of
   * 2,000 characters each, and as many of its fields as JSON; what is more is left out. Never throws.
   */
  log(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /**
   * Says how far this attempt is: `done` of `total`, in whatever unit. May be called as often as one likes: the last word
   * travels with the executor's heartbeats. It is for people: nothing is decided by it, and the next attempt begins without.
   * Without a `total` none is known. Of `note` 200 characters are kept, in one line. Never throws: what is too large is
   * clamped, and what is no number from 0 on is passed over, with a line in the log.
   */
  progress(done: number, total?: number, note?: string): void;
  readonly services: TaskServices;
}

/** What handlers that run inline may use. */
export interface TaskServices {
  /** Writes products, idempotently by (job, item). @throws UnavailableError when Products can't be reached */
  createProducts(
    jobId: number,
    items: readonly ProductItem[],
    signal: AbortSignal,
  ): Promise<readonly ProductOutcome[]>;
}

/** How one item ended in this attempt: a closed set. A handler that throws means `retry` for all of its items. */
export type ItemResult =
  | { readonly status: 'succeeded'; readonly result?: unknown }
  | { readonly status: 'failed'; readonly reason: string; readonly message: string }
  | { readonly status: 'retry'; readonly reason: string; readonly message: string };

export interface TaskResult {
  /** In the order of the context's items. */
  readonly items: readonly ItemResult[];
  /**
   * Whole numbers that add up over the tasks of a job, for example {created: 12}: at most 20, with names of 1 to 64 printable
   * characters. Others are left out.
   */
  readonly counters?: Readonly<Record<string, number>>;
}

/**
 * Thrown by a handler: a service that it needs is away. All items of the task are tried again after a backoff, and the
 * attempt does not count. Its name is what is recognised, so that any class called so does.
 */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

/** Thrown by a handler: all items of the task have failed for good; trying again will not help. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError';
}
