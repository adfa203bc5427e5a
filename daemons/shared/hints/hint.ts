import { readTraceparent } from '@jobber/shared/trace-context';

/** What a broker's message says: this attempt may be started now. Whether that is so stands in the row of the task. */
export interface Hint {
  readonly jobId: number;
  readonly seq: number;
  /** The attempt that would be started. */
  readonly attempt: number;
  /** W3C Trace Context of the request that has made the job; of the first task that a message names. */
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

export type ParsedHints = { readonly hints: readonly [Hint, ...Hint[]] } | { readonly problem: HintProblem };

/** The version that is written here, and the last one that is understood. */
export const HINT_VERSION = 1;
/** A message has about a hundred bytes, or some hundred; who sends more sends something else. */
const MAX_HINT_BYTES = 1_024;
/** So many fit in a message, whatever their numbers. */
export const MAX_HINTS = 20;
const MAX_INT32 = 2 ** 31 - 1;

/**
 * The message that names these tasks.
 * @param more up to MAX_HINTS - 1 others of the same type; executors of earlier releases follow the first one only
 */
export function writeHint({ jobId, seq, attempt, traceparent }: Hint, more: readonly Hint[] = []): Buffer {
  return Buffer.from(
    JSON.stringify({
      v: HINT_VERSION,
      job: jobId,
      task: seq,
      attempt,
      ...(traceparent && { traceparent }),
      ...(more.length > 0 && { more: more.map((hint) => [hint.jobId, hint.seq, hint.attempt]) }),
    }),
  );
}

/**
 * Reads a message that anybody may have written. Never throws. Fields that a later release adds are passed over; what
 * changes the meaning of the others comes with a higher version.
 */
export function readHints(body: Uint8Array): ParsedHints {
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
  const { v, job, task, attempt, traceparent, more = [] } = message as Record<string, unknown>;
  if (!isInteger(v, 1, MAX_INT32)) return { problem: 'no-version' };
  if (v > HINT_VERSION) return { problem: 'future-version' };
  const first = toHint([job, task, attempt]);
  const others = Array.isArray(more) ? more.map(toHint) : [undefined];
  if (!first || !others.every((hint) => hint !== undefined)) return { problem: 'bad-ids' };
  const trace = readTraceparent(traceparent);
  return { hints: [{ ...first, ...(trace && { traceparent: trace }) }, ...others] };
}

function toHint(ids: unknown): Hint | undefined {
  const [jobId, seq, attempt] = Array.isArray(ids) ? (ids as unknown[]) : [];
  const named =
    isInteger(jobId, 1, Number.MAX_SAFE_INTEGER) &&
    isInteger(seq, 0, MAX_INT32) &&
    isInteger(attempt, 1, MAX_INT32);
  return named ? { jobId, seq, attempt } : undefined;
}

function isInteger(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}
