import { refuse } from '@jobber/shared/errors';
import { isLabel } from '@jobber/shared/label';
import { printableName } from '../input/printable-name.ts';
import type { NewJobOptions } from '../transitions/accept-jobs.ts';

/** Options as a request has them; null and absent mean the same. */
export interface RequestedOptions {
  readonly runAt?: Date | null;
  /** Milliseconds from now. */
  readonly delay?: number | null;
  readonly priority?: number | null;
  /** Milliseconds. */
  readonly timeout?: number | null;
  readonly maxAttempts?: number | null;
  /** Milliseconds. */
  readonly backoff?: number | null;
  readonly uniqueFor?: string | null;
  readonly tags?: readonly string[] | null;
}

const DAY_MS = 24 * 60 * 60_000;
const FARTHEST_MS = 3_653 * DAY_MS;
const MAX_KEY_LENGTH = 255;
const MAX_TAGS = 20;
const MAX_TAG_LENGTH = 100;

/**
 * The options of a job; null when it has none.
 * @throws AppError 400 INVALID_INPUT naming the option, what was expected and what it got
 */
export function checkOptions(asked: RequestedOptions): NewJobOptions | null {
  const { runAt, delay, timeout, priority, maxAttempts, backoff, uniqueFor, tags } = asked;
  if (runAt != null && delay != null) refuse('INVALID_INPUT', 'runAt and delay must not be given together');
  const options: { -readonly [Name in keyof NewJobOptions]: NewJobOptions[Name] } = {};
  if (runAt != null) options.runAt = checkTime(runAt);
  if (delay != null) options.delayMs = whole('delay', delay, 0, FARTHEST_MS);
  if (priority != null && priority !== 0) options.priority = whole('priority', priority, -100, 100);
  if (timeout != null) options.timeoutMs = whole('timeout', timeout, 1, 7 * DAY_MS);
  if (maxAttempts != null) options.maxAttempts = whole('maxAttempts', maxAttempts, 1, 100);
  if (backoff != null) options.backoffMs = whole('backoff', backoff, 0, DAY_MS);
  if (uniqueFor != null) options.uniqueFor = checkKey('uniqueFor', uniqueFor);
  if (tags != null && tags.length > 0) options.tags = checkTags(tags);
  return Object.keys(options).length === 0 ? null : options;
}

/** A key that a client chose. @throws AppError 400 INVALID_INPUT */
export function checkKey(name: string, key: string): string {
  if (isLabel(key, MAX_KEY_LENGTH)) return key;
  return refuse(
    'INVALID_INPUT',
    `${name} must have 1 to ${MAX_KEY_LENGTH} printable characters, not only blanks`,
    {
      limit: MAX_KEY_LENGTH,
    },
  );
}

/** @throws AppError 400 INVALID_INPUT */
export function checkTags(tags: readonly string[]): string[] {
  if (tags.length > MAX_TAGS) {
    refuse('INVALID_INPUT', `A job has at most ${MAX_TAGS} tags, got ${tags.length}`, { limit: MAX_TAGS });
  }
  for (const tag of tags) {
    if (isLabel(tag, MAX_TAG_LENGTH)) continue;
    const got = JSON.stringify(printableName(tag));
    refuse(
      'INVALID_INPUT',
      `A tag must have 1 to ${MAX_TAG_LENGTH} printable characters, not only blanks, got ${got}`,
      {
        limit: MAX_TAG_LENGTH,
      },
    );
  }
  return [...new Set(tags)];
}

function checkTime(runAt: Date): Date {
  const atMs = runAt.getTime();
  if (atMs >= 0 && atMs - Date.now() <= FARTHEST_MS) return runAt;
  return refuse(
    'INVALID_INPUT',
    `runAt must be after 1970 and within the next 10 years, got ${runAt.toISOString()}`,
  );
}

function whole(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  return refuse('INVALID_INPUT', `${name} must be a whole number from ${min} to ${max}, got ${value}`, {
    min,
    max,
  });
}
