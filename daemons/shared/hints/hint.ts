import { readTraceparent } from '@jobber/shared/trace-context';

/** What a broker's message says: this attempt may be started now. Whether that is so stands in the row of the task. */
export interface Hint {
  readonly jobId: number;
  readonly seq: number;
  /** The attempt that would be started. */
  readonly attempt: number;
  /** W3C Trace Context of the request that has made the job. */
  readonly traceparent?: string;
}

/** Why a message is no hint for us. */
export type HintProblem =
  | 'empty'
  | 'oversize'
  | 'not-json'
  | 'not-an-object'
  | 'no-version'
  | 'future-version'
  | 'bad-ids';

export type ParsedHint = { readonly hint: Hint } | { readonly problem: HintProblem };

/** The version that is written here, and the last one that is understood. */
export const HINT_VERSION = 1;
/** A hint has about a hundred bytes; who sends more sends something else. */
const MAX_HINT_BYTES = 1_024;
const MAX_INT32 = 2 ** 31 - 1;

export function writeHint({ jobId, seq, attempt, traceparent }: Hint): Buffer {
  return Buffer.from(
    JSON.stringify({ v: HINT_VERSION, job: jobId, task: seq, attempt, ...(traceparent && { traceparent }) }),
  );
}

/**
 * Reads a message that anybody may have written. Never throws. Fields that a later release adds are passed over; what
 * changes the meaning of the others comes with a higher version.
 */
export function readHint(body: Uint8Array): ParsedHint {
  if (body.length === 0) return { problem: 'empty' };
  if (body.length > MAX_HINT_BYTES) return { problem: 'oversize' };
  let message: unknown;
  try {
    message = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return { problem: 'not-json' };
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    return { problem: 'not-an-object' };
  }
  const { v, job, task, attempt, traceparent } = message as Record<string, unknown>;
  if (!isInteger(v, 1, MAX_INT32)) return { problem: 'no-version' };
  if (v > HINT_VERSION) return { problem: 'future-version' };
  const named =
    isInteger(job, 1, Number.MAX_SAFE_INTEGER) &&
    isInteger(task, 0, MAX_INT32) &&
    isInteger(attempt, 1, MAX_INT32);
  if (!named) return { problem: 'bad-ids' };
  const trace = readTraceparent(traceparent);
  return { hint: { jobId: job, seq: task, attempt, ...(trace && { traceparent: trace }) } };
}

function isInteger(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}
