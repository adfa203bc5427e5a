import * as Flags from '@oclif/core/flags';
import type { DeadLetterFilter } from '../api/dead-letters.ts';
import { usageFailure } from '../failure.ts';
import { count } from '../render/units.ts';
import { parseJobId } from './parse-job-id.ts';
import { parseMoment } from './parse-time.ts';

const helpGroup = 'FILTER';
const LONGEST_ERROR = 500;

/** Flags that choose dead letters. */
export const DEAD_LETTER_FILTER_FLAGS = {
  type: Flags.string({
    summary: 'Only those of jobs of that type; may be repeated.',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: '<type>',
    helpGroup,
  }),
  job: Flags.string({
    summary: 'Only those of that job; may be repeated.',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: '<job-id>',
    helpGroup,
  }),
  since: Flags.string({
    summary: 'Died then or later: 2026-03-01, 2026-03-01T14:00, 2h.',
    helpValue: '<time>',
    helpGroup,
  }),
  until: Flags.string({ summary: 'Died before that.', helpValue: '<time>', helpGroup }),
  error: Flags.string({
    summary: 'Only those whose last error contains that text, in any case.',
    helpValue: '<text>',
    helpGroup,
  }),
  owner: Flags.string({
    summary: "Those of the user with that id; others' are for operators.",
    helpValue: '<user-id>',
    helpGroup,
    exclusive: ['all-owners'],
  }),
  'all-owners': Flags.boolean({ summary: 'Those of all users; for operators.', helpGroup }),
};

interface FilterFlags {
  readonly type?: string[] | undefined;
  readonly job?: string[] | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly error?: string | undefined;
  readonly owner?: string | undefined;
  readonly 'all-owners'?: boolean;
}

/** @param now in milliseconds */
export function readDeadLetterFilter(flags: FilterFlags, now: number): DeadLetterFilter {
  const { type, job, since, until, error, owner } = flags;
  return {
    ...(type && { type }),
    ...(job && { job: job.map((id) => parseJobId(id, '--job')) }),
    ...(since !== undefined && { diedAfter: parseMoment('--since', since, now) }),
    ...(until !== undefined && { diedBefore: parseMoment('--until', until, now) }),
    ...(error !== undefined && { error: parseErrorText(error) }),
    ...(owner !== undefined && { owner }),
    ...(flags['all-owners'] && { allOwners: true }),
  };
}

/** Whether anything but the owner limits what matches. */
export function hasCondition({ type, job, diedAfter, diedBefore, error }: DeadLetterFilter): boolean {
  return [type, job, diedAfter, diedBefore, error].some((condition) => condition !== undefined);
}

function parseErrorText(text: string): string {
  if (text.trim() === '') throw usageFailure('--error is empty: give a part of the error, or leave it out');
  if (text.length <= LONGEST_ERROR) return text;
  throw usageFailure(
    `--error must be at most ${LONGEST_ERROR} characters: these are ${count(text.length)}`,
    'INVALID_LABEL',
  );
}
