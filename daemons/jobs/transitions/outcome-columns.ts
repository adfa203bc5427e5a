import { columnText } from '@jobber/db/column-text';
import type { DecidedItem } from '@jobber/db/jobs';
import { type AttemptRef, columnsOf } from './attempt-ref.ts';

/** What an attempt has come to, as far as it has. */
export interface DecidedAttempt extends AttemptRef {
  /** The items that this attempt has decided. */
  readonly decided: readonly DecidedItem[];
  readonly counters: Readonly<Record<string, number>> | null;
}

/** The outcomes that a statement is given, as the common table expression `asked`; each `counters` is a list, or null. */
export const ASKED_OUTCOMES = `
  asked as (
    select * from unnest($1::bigint[], $2::int[], $3::int[], $4::int[], $5::int[], $6::jsonb[], $7::jsonb[], $8::int[],
      $9::jsonb[])
      as a(job_id, seq, attempt, succeeded, failed, decided, counters, max_offset, error)
  )`;

/** The values of its parameters. @param errorOf what is told as the error of an attempt */
export function outcomeValues<Attempt extends DecidedAttempt>(
  attempts: readonly Attempt[],
  errorOf: (attempt: Attempt) => object | null,
): string[] {
  return [
    ...columnsOf(attempts),
    columnText(attempts, ({ decided }) => countOf(decided, 1)),
    columnText(attempts, ({ decided }) => countOf(decided, 0)),
    columnText(attempts, ({ decided }) => JSON.stringify(decided)),
    columnText(attempts, ({ counters }) => (counters ? JSON.stringify([counters]) : null)),
    columnText(attempts, ({ decided }) => decided.reduce((max, item) => Math.max(max, item[0]), -1)),
    columnText(attempts, (attempt) => {
      const error = errorOf(attempt);
      return error && JSON.stringify(error);
    }),
  ];
}

/** @param succeeded 1: the items that have succeeded; 0: those that have failed for good */
function countOf(decided: readonly DecidedItem[], succeeded: 0 | 1): number {
  return decided.reduce((count, item) => (item[1] === succeeded ? count + 1 : count), 0);
}
