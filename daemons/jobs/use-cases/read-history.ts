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
  /** Only events later than the one with this id. */
  readonly after?: number;
  /** Only events earlier than the one with this id. */
  readonly before?: number;
  readonly newestFirst?: boolean;
}

const MAX_LIMIT = 1_000;
/** What the details of one answer may hold together, in bytes of JSON; larger ones are left out. */
const MAX_DETAIL_BYTES = 256 * 1024;

/** Events that are counted: more would keep whoever asks waiting. */
const MAX_COUNTED = 1_000_000;

const READ_HISTORY = { oldestFirst: readHistoryBy('id'), newestFirst: readHistoryBy('id desc') };

const COUNT_HISTORY = `
  select count(*)::int as count from (select from history where job_id = $1 limit ${MAX_COUNTED}) counted`;

function readHistoryBy(order: string): string {
  return `
    select id, (extract(epoch from at) * 1000)::float8 as at_ms, event, round, seq, attempt, executor_id, reason, message,
      case when sum(coalesce(octet_length(detail::text), 0)) over (order by ${order}) <= ${MAX_DETAIL_BYTES} then detail end
        as detail
    from history
    where job_id = $1 and id > $2 and id < $3 and ($4::int is null or seq = $4)
    order by ${order}
    limit $5`;
}

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

/** What happened to a job, a page at a time. @throws AppError 400 INVALID_INPUT */
export async function readHistory(
  pool: Pool,
  { jobId, seq, limit, after = 0, before = Number.MAX_SAFE_INTEGER, newestFirst = false }: HistoryPage,
): Promise<JobEventView[]> {
  checkLimit(limit, MAX_LIMIT);
  for (const [name, id] of Object.entries({ after, before })) {
    if (!Number.isSafeInteger(id) || id < 0)
      refuse('INVALID_INPUT', `${name} must be the id of an event, got ${id}`);
  }
  const order = newestFirst ? 'newestFirst' : 'oldestFirst';
  const { rows } = await pool.query<HistoryRow>({
    name: `read-history-${order}`,
    text: READ_HISTORY[order],
    values: [jobId, after, before, seq ?? null, limit],
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

/** How many events there are of a job; at most 1,000,000 are counted. */
export async function countHistory(pool: Pool, jobId: number): Promise<number> {
  const query = { name: 'count-history', text: COUNT_HISTORY, values: [jobId] };
  const { rows } = await pool.query<{ count: number }>(query);
  return rows[0]?.count ?? 0;
}
