import type { JobType } from '@jobber/job-types';
import type { Progress } from '@jobber/shared/progress';
import type { Abortable } from '../abortable.ts';
import type { DescribedResult } from './describe-result.ts';

/** One task handed to its handler. */
export interface HandlerRun {
  readonly type: JobType;
  readonly jobId: number;
  readonly ownerId: string;
  readonly traceparent?: string | undefined;
  readonly items: readonly { readonly index: number; readonly value: unknown }[];
  readonly signal: AbortSignal;
  /** The handler begins: its time runs from now on. */
  onStart(): void;
  log(message: string, fields: Readonly<Record<string, unknown>> | undefined): void;
  /** How far the handler says it is; it may come from a thread or process that is not trusted. */
  progress(progress: Progress): void;
}

/** What a handler on the daemon's own event loop needs besides. */
export type InlineRun = HandlerRun & Abortable;

export interface HandlerReport extends DescribedResult {
  /** How long the handler ran, in milliseconds. */
  readonly durationMs: number;
}

/** The reason of items whose attempt was deferred. */
export const UNAVAILABLE = 'Unavailable';

/** What an aborted handler gets to end by itself, in milliseconds. After that it is ended, or abandoned. */
export const ABORT_GRACE_MS = 250;

/**
 * What follows for the items: `retry`: they are tried again while attempts are left. `fail`: trying again will not help.
 * `defer`: they are tried again, and this attempt does not count: a service that the handler needs was away.
 */
export type FailureConsequence = 'retry' | 'fail' | 'defer';

/** A failure as it travels between threads and processes. */
export interface HandlerFailure {
  readonly reason: string;
  readonly message: string;
  readonly consequence: FailureConsequence;
  readonly stack?: string | undefined;
}

/** What threads and processes for handlers have in common. */
export interface HandlerPoolOptions {
  /** Of job types that name no limit of their own, in MiB. */
  readonly memoryMb: number;
  /** What has no work ends after this many milliseconds. */
  readonly idleMs: number;
  /** Modules of a user's own job types. */
  readonly modules: readonly string[];
  /** What handlers see as process.env. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Runs handlers apart from the daemon's event loop. */
export interface HandlerPool {
  /** @throws HandlerFailed when the handler throws or its thread or process ends; the signal's reason when it was aborted */
  run(run: HandlerRun): Promise<HandlerReport>;
  close(): Promise<void>;
}

/** What a handler threw, or what became of it; the error itself may have come from another thread. */
export class HandlerFailed extends Error {
  /** Of the error that was thrown, or what happened: a stable word. */
  readonly reason: string;
  readonly consequence: FailureConsequence;

  constructor(failure: HandlerFailure) {
    super(failure.message);
    this.reason = failure.reason;
    this.consequence = failure.consequence;
    if (failure.stack !== undefined) this.stack = failure.stack;
  }
}

/** By name: a user's module may have its own copies of the classes. */
const CONSEQUENCE_OF_NAME: Readonly<Record<string, FailureConsequence>> = {
  PermanentError: 'fail',
  UnavailableError: 'defer',
};

/** A thrown value, as a failure that can travel. Never throws, whatever it is given. */
export function describeFailure(thrown: unknown): HandlerFailure {
  try {
    if (!(thrown instanceof Error)) {
      return { reason: 'Error', message: `The handler threw ${String(thrown)}`, consequence: 'retry' };
    }
    const name = String(thrown.name) || 'Error';
    const consequence = Object.hasOwn(CONSEQUENCE_OF_NAME, name) ? CONSEQUENCE_OF_NAME[name] : undefined;
    return {
      reason: consequence === 'defer' ? UNAVAILABLE : name,
      message: String(thrown.message) || name,
      consequence: consequence ?? 'retry',
      stack: String(thrown.stack),
    };
  } catch {
    return { reason: 'Error', message: 'The handler threw something that has no text', consequence: 'retry' };
  }
}
