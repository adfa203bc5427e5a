import type { AttemptRef } from './attempt-ref.ts';

/** A task whose attempt has just been started: what an executor needs to run it. */
export interface StartedTask extends AttemptRef {
  /** Slug. */
  readonly type: string;
  readonly ownerId: string;
  readonly firstItem: number;
  readonly itemCount: number;
  /** Offsets of the items that earlier attempts have decided. */
  readonly decidedOffsets: readonly number[];
  /** The items as a JSON array; null when `upload` holds them. */
  readonly items: string | null;
  readonly upload: StartedUploadSlice | null;
  /** The job's own limit of one attempt; null: its type's. */
  readonly timeoutMs: number | null;
  /** Of the request that has made the job; null: a job of a release before this was kept. */
  readonly traceparent: string | null;
  /** Earlier attempts that were interrupted. */
  readonly interruptions: number;
}

export interface StartedUploadSlice {
  readonly name: string;
  readonly format: string;
  readonly csvHeader: readonly string[];
  readonly byteFrom: number;
  readonly byteTo: number;
  readonly line: number;
}

/** Ends a `with started as (update task … returning *)` with all that an executor needs. */
export const SELECT_STARTED = `
  select s.job_id, s.seq, s.attempt, s.type, s.first_item, s.item_count, s.items, s.byte_from, s.byte_to, s.line,
    s.owner_id, s.interruptions, j.timeout_ms, j.traceparent, u.name as upload_name, u.format, u.csv_header,
    case when s.decided = '[]' then '[]'
      else (select json_agg((d -> 0)::int) from jsonb_array_elements(s.decided) d) end as decided_offsets
  from started s
  join job j on j.id = s.job_id
  left join upload u on u.name = j.upload_name
  order by s.job_id, s.seq`;

export interface StartedRow {
  job_id: string;
  seq: number;
  attempt: number;
  type: string;
  first_item: number;
  item_count: number;
  items: string | null;
  byte_from: string | null;
  byte_to: string | null;
  line: string | null;
  owner_id: string;
  timeout_ms: string | null;
  traceparent: string | null;
  interruptions: number;
  upload_name: string | null;
  format: string | null;
  csv_header: string[] | null;
  decided_offsets: number[];
}

export function toStartedTask(row: StartedRow): StartedTask {
  return {
    jobId: Number(row.job_id),
    seq: row.seq,
    attempt: row.attempt,
    type: row.type,
    ownerId: row.owner_id,
    firstItem: row.first_item,
    itemCount: row.item_count,
    decidedOffsets: row.decided_offsets,
    items: row.items,
    timeoutMs: row.timeout_ms === null ? null : Number(row.timeout_ms),
    traceparent: row.traceparent,
    interruptions: row.interruptions,
    upload:
      row.upload_name === null || row.items !== null
        ? null
        : {
            name: row.upload_name,
            format: row.format ?? '',
            csvHeader: row.csv_header ?? [],
            byteFrom: Number(row.byte_from),
            byteTo: Number(row.byte_to),
            line: Number(row.line),
          },
  };
}
