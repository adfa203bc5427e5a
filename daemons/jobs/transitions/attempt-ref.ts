import { columnText } from '@jobber/db/column-text';

/** One attempt of one task. `attempt` is the fencing token: a transition that names an older one changes nothing. */
export interface AttemptRef {
  readonly jobId: number;
  readonly seq: number;
  readonly attempt: number;
}

/** The columns of attempts as arrays, for `unnest`. */
export function columnsOf(refs: readonly AttemptRef[]): [string, string, string] {
  return [
    columnText(refs, (ref) => ref.jobId),
    columnText(refs, (ref) => ref.seq),
    columnText(refs, (ref) => ref.attempt),
  ];
}

/** Names an attempt in a map. */
export function keyOf({ jobId, seq, attempt }: AttemptRef): string {
  return `${jobId}/${seq}/${attempt}`;
}

/** An attempt as a row that names it with `job_id`, `seq` and `attempt`. */
export interface AttemptRow {
  readonly job_id: string;
  readonly seq: number;
  readonly attempt: number;
}

export function refOfRow(row: AttemptRow): AttemptRef {
  return { jobId: Number(row.job_id), seq: row.seq, attempt: row.attempt };
}
