import type { DecidedItem } from '@jobber/db/jobs';
import {
  type AttemptOutcome as AttemptOutcomeMessage,
  type AttemptProgress,
  type AttemptRef as AttemptRefMessage,
  ItemStatus,
  type JobTypeOffer,
} from '@jobber/proto/jobs/v1/jobs';
import { refuse } from '@jobber/shared/errors';
import { parseJsonExact } from '@jobber/shared/json';
import { boundProgress, type Progress } from '@jobber/shared/progress';
import { type AttemptRef, keyOf } from '../transitions/attempt-ref.ts';
import type { OfferedType } from '../transitions/offer-job-types.ts';
import type { AttemptOutcome, ItemFailure } from '../use-cases/record-outcomes.ts';

/** Of an item that failed; longer ones are cut. */
const MAX_REASON_LENGTH = 100;
const MAX_MESSAGE_LENGTH = 2_000;
/** Attempts of which one heartbeat tells the progress. */
export const MAX_PROGRESS = 1_000;
/** Schemas nest deeper than the data that they describe. */
const MAX_SCHEMA_DEPTH = 100;

/** @throws AppError 400 INVALID_INPUT */
export function checkExecutorId(executorId: string): string {
  if (/^[\w.:-]{1,200}$/.test(executorId)) return executorId;
  return refuse('INVALID_INPUT', 'executor_id must have 1 to 200 letters, digits, dots, colons or hyphens');
}

/** @throws AppError 400 INVALID_INPUT */
export function toRef(ref: AttemptRefMessage | undefined): AttemptRef {
  if (ref && Number.isSafeInteger(ref.jobId) && ref.jobId > 0 && ref.seq >= 0 && ref.attempt > 0) return ref;
  return refuse('INVALID_INPUT', 'ref must name a job, a task and an attempt');
}

/** By `keyOf`. What does not fit, or is too much, is passed over: progress never costs a lease. */
export function toProgress(messages: readonly AttemptProgress[]): Map<string, Progress> {
  const progress = new Map<string, Progress>();
  for (const { ref, done, total, note } of messages.slice(0, MAX_PROGRESS)) {
    const bounded = boundProgress(done, total, note);
    if (ref && bounded) progress.set(keyOf(ref), bounded);
  }
  return progress;
}

/** @throws AppError 400 INVALID_INPUT */
export function toOutcome(message: AttemptOutcomeMessage, executorId: string): AttemptOutcome {
  const { jobId, seq, attempt } = toRef(message.ref);
  const decided: DecidedItem[] = [];
  const retry: [number, ItemFailure][] = [];
  refuseBadOffsets(message.items);
  for (const { offset, status, resultJson, error } of message.items) {
    if (status === ItemStatus.SUCCEEDED) decided.push(toSuccess(offset, resultJson));
    else if (status === ItemStatus.FAILED) decided.push([offset, 0, toFailure(error)]);
    else if (status === ItemStatus.RETRY) retry.push([offset, toFailure(error)]);
    else refuse('INVALID_INPUT', `Item offset ${offset} has no status`);
  }
  const { interrupted, deferred, countersJson } = message;
  const notStarted = interrupted && message.notStarted;
  const counters = toCounters(countersJson);
  return { executorId, jobId, seq, attempt, decided, retry, interrupted, notStarted, deferred, counters };
}

function refuseBadOffsets(items: readonly { readonly offset: number }[]): void {
  const named = items.length > 1 ? new Set<number>() : undefined;
  for (const { offset } of items) {
    if (offset < 0 || named?.has(offset))
      refuse('INVALID_INPUT', `Item offset ${offset} is negative or named twice`);
    named?.add(offset);
  }
}

/** A result that can't be kept as it is fails its item, not the other outcomes that travel with it. */
function toSuccess(offset: number, resultJson: string): DecidedItem {
  if (resultJson === '') return [offset, 1, null];
  const parsed = parseJsonExact(resultJson);
  if (parsed.ok) return [offset, 1, parsed.value];
  const message = storable(`The result can't be kept: ${parsed.problem.message}`, MAX_MESSAGE_LENGTH);
  return [offset, 0, { reason: 'InvalidResult', message }];
}

function toFailure(error: { reason: string; message: string } | undefined): ItemFailure {
  return {
    reason: storable(error?.reason ?? '', MAX_REASON_LENGTH) || 'Error',
    message: storable(error?.message ?? '', MAX_MESSAGE_LENGTH) || 'The handler gave no reason',
  };
}

/** PostgreSQL stores neither U+0000 nor half a surrogate pair. */
function storable(text: string, maxLength: number): string {
  return text.slice(0, maxLength).replaceAll('\0', '\u{fffd}').toWellFormed();
}

function toCounters(text: string): Record<string, number> | null {
  if (text === '') return null;
  const counters = parseJson(text, 'counters');
  const sound =
    typeof counters === 'object' &&
    counters !== null &&
    !Array.isArray(counters) &&
    Object.values(counters).every(Number.isSafeInteger);
  return sound
    ? (counters as Record<string, number>)
    : refuse('INVALID_INPUT', 'counters must be a JSON object of whole numbers');
}

function parseJson(text: string, what: string): unknown {
  const parsed = parseJsonExact(text, { maxDepth: MAX_SCHEMA_DEPTH });
  if (parsed.ok) return parsed.value;
  return refuse('INVALID_INPUT', `${what} must be JSON: ${parsed.problem.message}`);
}

/** @throws AppError 400 INVALID_INPUT */
export function toOfferedType(offer: JobTypeOffer): OfferedType {
  const { name, slug, version, description, itemsPerTask, retry, limits } = offer;
  const inputSchema = parseJson(offer.inputSchemaJson, `The input schema of ${storable(name, 80)}`);
  if (typeof inputSchema !== 'object' || inputSchema === null || Array.isArray(inputSchema))
    refuse('INVALID_INPUT', `The input schema of ${storable(name, 80)} must be an object`);
  return {
    slug,
    name,
    version,
    description: storable(description, MAX_MESSAGE_LENGTH),
    inputSchema: inputSchema as Record<string, unknown>,
    defaultItem:
      offer.defaultItemJson === ''
        ? null
        : parseJson(offer.defaultItemJson, `The default item of ${storable(name, 80)}`),
    itemsPerTask,
    maxAttempts: retry?.maxAttempts ?? 1,
    backoffMs: retry?.backoffMs ?? 0,
    maxBackoffMs: retry?.maxBackoffMs ?? 0,
    timeoutMs: limits?.timeoutMs ?? 0,
    maxItems: limits?.maxItems ?? 0,
    maxRunning: limits?.maxRunning ?? 0,
  };
}
