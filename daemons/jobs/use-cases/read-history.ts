import type { HistoryEvent } from '@jobber/db/jobs';
import { refuse } from '@jobber/shared/errors';
import { checkLimit } from '@jobber/shared/paging';
import type { Pool } from 'pg';

/** Something that happened to a job, a task or an attempt. */
export interface JobEventView {
  readonly id: number;
  readonly at: Date;
  readonly event: Uppercase<HistoryEvent>;
  readonly round: number;
  /** Number of the task in its job; null for what concerns the whole job. */
  readonly task: number | null;
  readonly attempt: number | null;
  readonly executor: string | null;
  readonly reason: string | null;
  readonly message: string | null;
  readonly detail: unknown;
}

export interface HistoryPage {
  readonly jobId: number;
  /** Only what concerns this task. */
  readonly seq?: number;
  /** 1 to 1,000. */
  readonly limit: number;
  /** Id of the last event of the page before. */
  readonly after?: number;
}

const MAX_LIMIT = 1_000;
/** What the details of one answer may hold together, in bytes of JSON; larger ones are left out. */
const MAX_DETAIL_BYTES = 256 * 1024;

const READ_HISTORY = `
  select id, (extract(epoch from at) * 1000)::float8 as at_ms, event, round, seq, attempt, executor_id, reason, message,
    case when sum(coalesce(octet_length(detail::text), 0)) over (order by id) <= ${MAX_DETAIL_BYTES} then detail end as detail
  from history
  where job_id = $1 and id > $2 and ($3::int is null or seq = $3)
  order by id
  limit $4`;

interface HistoryRow {
  readonly id: string;
  readonly at_ms: number;
  readonly event: HistoryEvent;
  readonly round: number;
  readonly seq: number | null;
  readonly attempt: number | null;
  readonly executor_id: string | null;
  readonly reason: string | null;
  readonly message: string | null;
  readonly detail: unknown;
}

/** What happened to a job, oldest first, a page at a time. @throws AppError 400 INVALID_INPUT */
export async function readHistory(
  pool: Pool,
  { jobId, seq, limit, after = 0 }: HistoryPage,
): Promise<JobEventView[]> {
  checkLimit(limit, MAX_LIMIT);
  if (!Number.isSafeInteger(after) || after < 0)
    refuse('INVALID_INPUT', `after must be the id of an event, got ${after}`);
  const { rows } = await pool.query<HistoryRow>({
    name: 'read-history',
    text: READ_HISTORY,
    values: [jobId, after, seq ?? null, limit],
  });
  return rows.map((row) => ({
    id: Number(row.id),
    at: new Date(row.at_ms),
    event: row.event.toUpperCase() as Uppercase<HistoryEvent>,
    round: row.round,
    task: row.seq,
    attempt: row.attempt,
    executor: row.executor_id,
    reason: row.reason,
    message: row.message,
    detail: row.detail,
  }));
}
