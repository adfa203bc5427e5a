import type { ItemResult } from '@jobber/job-types';
import { isForbiddenKey } from '@jobber/shared/json';
import { isLabel } from '@jobber/shared/label';

/** How one item ended, ready to be sent to Jobs. */
export interface DescribedItem {
  readonly status: ItemResult['status'];
  readonly resultJson: string;
  readonly error: { readonly reason: string; readonly message: string } | undefined;
}

export interface DescribedResult {
  /** In the order of the items that the handler was given. */
  readonly items: readonly DescribedItem[];
  /** JSON object of integers, or empty. */
  readonly countersJson: string;
}

/** Bytes of one item's result as JSON, and of the results of one task together: they travel in one message. */
const MAX_RESULT_BYTES = 256 * 1024;
const MAX_TASK_RESULT_BYTES = 6 * 1024 * 1024;
const MAX_REASON_LENGTH = 64;
const MAX_MESSAGE_LENGTH = 500;
const MAX_COUNTERS = 20;
const MAX_COUNTER_NAME = 64;

/**
 * What a handler answered, converted once: whatever it is, each item ends in one of the three ways. Handlers are foreign
 * code, so nothing about the shape is taken for granted.
 */
export function describeResult(result: unknown, itemCount: number): DescribedResult {
  const { items, counters } = (result ?? {}) as { items?: unknown; counters?: unknown };
  if (!Array.isArray(items) || items.length !== itemCount) {
    const got = Array.isArray(items) ? `${items.length}` : 'none';
    const message = `The handler must answer one result per item: expected ${itemCount}, got ${got}`;
    return {
      items: Array.from({ length: itemCount }, () => failed('InvalidResult', message)),
      countersJson: '',
    };
  }
  let room = MAX_TASK_RESULT_BYTES;
  const described = items.map((item: unknown) => {
    const one = describeItem(item);
    const bytes = Buffer.byteLength(one.resultJson);
    if (bytes > room) {
      const limit = `${MAX_TASK_RESULT_BYTES / 1024 / 1024} MiB`;
      return failed('ResultTooLarge', `The results of one task must not exceed ${limit} together`);
    }
    room -= bytes;
    return one;
  });
  return { items: described, countersJson: describeCounters(counters) };
}

/** Text for Jobs' database and people's screens: bounded, and without what PostgreSQL cannot store. */
export function describeError(reason: string, message: string): { reason: string; message: string } {
  return { reason: bounded(reason, MAX_REASON_LENGTH), message: bounded(message, MAX_MESSAGE_LENGTH) };
}

function describeItem(item: unknown): DescribedItem {
  const { status, result, reason, message } = (item ?? {}) as Record<string, unknown>;
  switch (status) {
    case 'succeeded':
      return describeSuccess(result);
    case 'failed':
      return failed(String(reason || 'Failed'), String(message ?? ''));
    case 'retry':
      return {
        status: 'retry',
        resultJson: '',
        error: describeError(String(reason || 'Failed'), String(message ?? '')),
      };
    default:
      return failed('InvalidResult', 'The status of a result must be succeeded, failed or retry');
  }
}

function describeSuccess(result: unknown): DescribedItem {
  let resultJson: string;
  try {
    resultJson = JSON.stringify(result) ?? '';
  } catch (error) {
    return failed('InvalidResult', `The result cannot be written as JSON: ${String(error)}`);
  }
  const bytes = Buffer.byteLength(resultJson);
  if (bytes > MAX_RESULT_BYTES) {
    const limit = `${MAX_RESULT_BYTES / 1024} KiB`;
    return failed('ResultTooLarge', `The result has ${bytes} bytes as JSON; at most ${limit} are kept`);
  }
  if (/\\u(0000|d[89a-f])/.test(resultJson) && isUnstorable(resultJson)) {
    return failed('InvalidResult', 'The result has text with U+0000 or half a surrogate pair');
  }
  return { status: 'succeeded', resultJson, error: undefined };
}

/** JSON.stringify escapes both, so that an escape which is not itself escaped is one of them. */
function isUnstorable(json: string): boolean {
  return /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/.test(json);
}

/** A counter that can't be kept is left out: the work is done all the same. */
function describeCounters(counters: unknown): string {
  if (typeof counters !== 'object' || counters === null || Array.isArray(counters)) return '';
  const sound = Object.entries(counters).filter(
    ([name, count]) =>
      isLabel(name, MAX_COUNTER_NAME) && !isForbiddenKey(name) && Number.isSafeInteger(count),
  );
  return sound.length === 0 ? '' : JSON.stringify(Object.fromEntries(sound.slice(0, MAX_COUNTERS)));
}

function failed(reason: string, message: string): DescribedItem {
  return { status: 'failed', resultJson: '', error: describeError(reason, message) };
}

function bounded(text: string, length: number): string {
  const storable = text
    .slice(0, length + 1)
    .toWellFormed()
    .replaceAll('\0', '\uFFFD');
  return storable.length > length ? `${storable.slice(0, length - 1).toWellFormed()}…` : storable;
}
