import * as Flags from '@oclif/core/flags';
import type { JobOptions } from '../api/jobs.ts';
import { usageFailure } from '../failure.ts';
import { cleanText } from '../render/clean-text.ts';
import { parseKey, parseTags } from './parse-label.ts';
import { parseNumber } from './parse-number.ts';
import { parseDate, parseDuration } from './parse-time.ts';

const helpGroup = 'JOB';
const DAY_MS = 86_400_000;
const TEN_YEARS = { milliseconds: 3_653 * DAY_MS, text: '10 years' };
const ONE_DAY = { milliseconds: DAY_MS, text: '1 day' };
const SEVEN_DAYS = { milliseconds: 7 * DAY_MS, text: '7 days' };

/** Flags for what a job may be submitted with besides its items. */
export const JOB_OPTION_FLAGS = {
  'run-at': Flags.string({
    summary: 'Not before that time: 2026-03-01, 2026-03-01T14:00 (local), 2026-03-01T14:00Z.',
    helpValue: '<time>',
    helpGroup,
  }),
  delay: Flags.string({
    summary: 'Not before that much time has passed: 90s, 10m, 2h, 1d.',
    helpValue: '<duration>',
    helpGroup,
  }),
  priority: Flags.string({
    summary: 'Among your jobs those with a higher one come first: -100 to 100, by default 0.',
    helpValue: '<number>',
    helpGroup,
  }),
  'attempt-timeout': Flags.string({
    summary: 'How long one attempt may take, in place of what the type says: at most 7d.',
    helpValue: '<duration>',
    helpGroup,
  }),
  'max-attempts': Flags.string({
    summary: 'How often an item is tried, in place of what the type says: 1 to 100.',
    helpValue: '<number>',
    helpGroup,
  }),
  backoff: Flags.string({
    summary: 'The wait before the second attempt, at most 1d; it doubles with each further one.',
    helpValue: '<duration>',
    helpGroup,
  }),
  tag: Flags.string({
    summary: 'A word to find the job by; may be repeated, 20 times at most.',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: '<tag>',
    helpGroup,
  }),
  'unique-for': Flags.string({
    summary: 'While you have an unfinished job of the type with the same key, that one is taken.',
    helpValue: '<key>',
    helpGroup,
  }),
  'idempotency-key': Flags.string({
    summary: 'The same key is the same job, however often it is sent; by default each call has its own.',
    helpValue: '<key>',
    helpGroup,
  }),
};

type OptionFlags = {
  [Name in keyof typeof JOB_OPTION_FLAGS]?: (Name extends 'tag' ? string[] : string) | undefined;
};

/** What was typed, checked; a problem is told before any request. @param now in milliseconds */
export function readJobOptions(flags: OptionFlags, now: number): JobOptions {
  const { 'run-at': runAt, delay, priority, tag, backoff } = flags;
  if (runAt !== undefined && delay !== undefined) {
    throw usageFailure('--run-at and --delay exclude each other: both say when the job begins');
  }
  const timeout = flags['attempt-timeout'];
  const attempts = flags['max-attempts'];
  const unique = flags['unique-for'];
  return {
    ...(runAt !== undefined && { runAt: parseRunAt(runAt, now) }),
    ...(delay !== undefined && {
      delay: parseDuration('--delay', delay, { minimum: 0, maximum: TEN_YEARS }),
    }),
    ...(priority !== undefined && { priority: parseWhole('--priority', priority, -100, 100) }),
    ...(timeout !== undefined && {
      timeout: parseDuration('--attempt-timeout', timeout, { maximum: SEVEN_DAYS }),
    }),
    ...(attempts !== undefined && { maxAttempts: parseWhole('--max-attempts', attempts, 1, 100) }),
    ...(backoff !== undefined && {
      backoff: parseDuration('--backoff', backoff, { minimum: 0, maximum: ONE_DAY }),
    }),
    ...(unique !== undefined && { uniqueFor: parseKey('--unique-for', unique) }),
    ...(tag !== undefined && { tags: parseTags(tag) }),
  };
}

function parseRunAt(text: string, now: number): string {
  const date = parseDate('--run-at', text);
  if (date.getTime() <= now + TEN_YEARS.milliseconds) return date.toISOString();
  throw usageFailure(
    `--run-at can be at most ${TEN_YEARS.text} ahead: "${cleanText(text)}" is later`,
    'INVALID_TIME',
  );
}

function parseWhole(name: string, text: string, minimum: number, maximum: number): number {
  return Number(parseNumber(name, text, { integer: true, minimum, maximum }));
}
