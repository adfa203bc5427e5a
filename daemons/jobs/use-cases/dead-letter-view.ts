import { refuse } from '@jobber/shared/errors';
import type { TaskRef } from '../transitions/redrive-tasks.ts';

/** A task of which items failed for good. */
export interface DeadLetterView {
  readonly jobId: number;
  readonly seq: number;
  readonly ownerId: string;
  /** Slug of the job type. */
  readonly type: string;
  /** Executions so far, in all rounds. */
  readonly attempts: number;
  readonly diedAt: Date;
  /** Those of the last error. */
  readonly reason: string;
  readonly message: string;
  /** Items that failed for good. */
  readonly failed: number;
}

/** What a `DeadLetterRow` is selected by, from `task`. `error` is that of an item that has failed: the last one. */
export const DEAD_LETTER_COLUMNS = `task.job_id, task.seq, task.owner_id, task.type, task.attempt,
  (extract(epoch from task.died_at) * 1000)::float8 as died_at_ms,
  coalesce(
    jsonb_path_query_first(task.decided, 'strict $[*] ? (@[1] == 0 && @[2].message == $last)',
      jsonb_build_object('last', task.last_error)),
    jsonb_path_query_first(task.decided, 'strict $[*] ? (@[1] == 0)')
  ) -> 2 as error,
  jsonb_array_length(jsonb_path_query_array(task.decided, 'strict $[*] ? (@[1] == 0)')) as failed`;

export interface DeadLetterRow {
  readonly job_id: string;
  readonly seq: number;
  readonly owner_id: string;
  readonly type: string;
  readonly attempt: number;
  readonly died_at_ms: number;
  readonly error: { readonly reason: string; readonly message: string } | null;
  readonly failed: number;
}

export function toDeadLetterView(row: DeadLetterRow): DeadLetterView {
  return {
    jobId: Number(row.job_id),
    seq: row.seq,
    ownerId: row.owner_id,
    type: row.type,
    attempts: row.attempt,
    diedAt: new Date(row.died_at_ms),
    reason: row.error?.reason ?? 'Failed',
    message: row.error?.message ?? 'The handler gave no reason',
    failed: row.failed,
  };
}

const ID = /^([1-9]\d{0,15})\/(0|[1-9]\d{0,9})$/;
const MAX_SEQ = 2_147_483_647;

/** How a dead letter is named: the job's id and the task's number, for example 12/3. @throws AppError 400 INVALID_INPUT */
export function parseDeadLetterId(id: string): TaskRef {
  const [, job, seq] = ID.exec(id) ?? [];
  const ref = { jobId: Number(job), seq: Number(seq) };
  if (Number.isSafeInteger(ref.jobId) && ref.seq <= MAX_SEQ) return ref;
  return refuse(
    'INVALID_INPUT',
    `A dead letter is named by its job and the number of its task, such as 12/3; got ${JSON.stringify(id.slice(0, 40))}`,
  );
}

export function deadLetterId({ jobId, seq }: TaskRef): string {
  return `${jobId}/${seq}`;
}
