import type { JobType } from '@jobber/job-types';
import type { DescribedResult } from './describe-result.ts';

/** One task handed to its handler. */
export interface HandlerRun {
  readonly type: JobType;
  readonly jobId: number;
  readonly ownerId: string;
  readonly items: readonly { readonly index: number; readonly value: unknown }[];
  readonly signal: AbortSignal;
  /** The handler begins: its time runs from now on. */
  onStart(): void;
  log(message: string, fields: Readonly<Record<string, unknown>> | undefined): void;
}

export interface HandlerReport extends DescribedResult {
  /** How long the handler ran, in milliseconds. */
  readonly durationMs: number;
}

/** What an aborted handler gets to end by itself, in milliseconds. After that it is ended, or abandoned. */
export const ABORT_GRACE_MS = 250;

/** What a handler threw, or what became of it; the error itself may have come from another thread. */
export class HandlerFailed extends Error {
  /** Of the error that was thrown, or what happened: a stable word. */
  readonly reason: string;
  /** Trying again will not help. */
  readonly permanent: boolean;

  constructor(failure: { reason: string; message: string; permanent: boolean; stack?: string | undefined }) {
    super(failure.message);
    this.reason = failure.reason;
    this.permanent = failure.permanent;
    if (failure.stack !== undefined) this.stack = failure.stack;
  }
}

/** A thrown value, as a failure that can travel between threads. Never throws, whatever it is given. */
export function describeFailure(thrown: unknown): ConstructorParameters<typeof HandlerFailed>[0] {
  try {
    if (!(thrown instanceof Error)) {
      return { reason: 'Error', message: `The handler threw ${String(thrown)}`, permanent: false };
    }
    const reason = String(thrown.name) || 'Error';
    // By name: a user's module may have its own copy of the class.
    return {
      reason,
      message: String(thrown.message) || reason,
      permanent: reason === 'PermanentError',
      stack: String(thrown.stack),
    };
  } catch {
    return { reason: 'Error', message: 'The handler threw something that has no text', permanent: false };
  }
}
