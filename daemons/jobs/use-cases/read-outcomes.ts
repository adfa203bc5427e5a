import type { DecidedItem } from '@jobber/db/jobs';
import { AppError, refuse } from '@jobber/shared/errors';
import { parseJsonExact } from '@jobber/shared/json';
import { checkLimit } from '@jobber/shared/paging';
import type { Pool } from 'pg';

/** How an item of a job ended. */
export interface ItemOutcome {
  /** In the job, from 0. */
  readonly index: number;
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly result: unknown;
  readonly error: { readonly reason: string; readonly message: string } | null;
}

/** Reads what became of items. All reads of one reader share one budget, so that no answer outgrows the memory. */
export interface OutcomeReader {
  /** Decided items by index, after the given one. @throws AppError 400 INVALID_INPUT, 413 TOO_LARGE */
  items(jobId: number, page: { limit: number; after: number }): Promise<ItemOutcome[]>;
  /** Failed items by index. @throws like `items` */
  errors(jobId: number, page: { limit: number }): Promise<ItemOutcome[]>;
  /** Sums over all tasks of a job, for example {created: 12}; null when nothing was counted. */
  counters(jobId: number): Promise<Record<string, number> | null>;
}

const MAX_LIMIT = 1_000;
/** Results and errors of one answer together, as JSON in bytes. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_INDEX = 2_147_483_647;

interface OutcomeRow {
  index: number;
  decided: string;
}

/** Stops within the statement where the budget ends: `spent` counts what comes before the row. */
function outcomesQuery(condition: string): string {
  return `
    select index, decided from (
      select index, decided, sum(octet_length(decided)) over (order by index) - octet_length(decided) as spent
      from (
        select task.first_item + (d -> 0)::int as index, d::text as decided
        from task cross join lateral jsonb_array_elements(task.decided) d
        where task.job_id = $1 and task.first_item + task.item_count > $2 and task.first_item + (d -> 0)::int > $2
          and ${condition}
        order by task.seq, (d -> 0)::int
        limit $3
      ) page
    ) measured
    where spent <= $4
    order by index`;
}

const READ_ITEMS = outcomesQuery('true');
/** Tasks that have succeeded have no failed items: theirs are not unpacked. */
const READ_ERRORS = outcomesQuery("task.state <> 'succeeded' and (d -> 1)::int = 0");

const READ_COUNTERS = `
  select pair.key as name, sum(pair.value::bigint) as total
  from task cross join lateral jsonb_array_elements(task.counters) c cross join lateral jsonb_each_text(c) pair
  where task.job_id = $1
  group by pair.key order by pair.key`;

/** A reader for one request: its reads take turns. */
export function createOutcomeReader(pool: Pool, maxBytes = MAX_ANSWER_BYTES): OutcomeReader {
  let left = maxBytes;
  let last: Promise<unknown> = Promise.resolve();

  function inTurn<T>(read: () => Promise<T>): Promise<T> {
    const turn = last.then(read);
    last = turn.catch(() => {});
    return turn;
  }

  async function readOutcomes(
    query: { name: string; text: string },
    jobId: number,
    { limit, after }: { limit: number; after: number },
  ): Promise<ItemOutcome[]> {
    checkPage(limit, after);
    const { rows } = await pool.query<OutcomeRow>({ ...query, values: [jobId, after, limit, left] });
    left -= rows.reduce((sum, { decided }) => sum + Buffer.byteLength(decided), 0);
    if (left < 0) {
      refuse('TOO_LARGE', `The answer would be larger than ${maxBytes} bytes; ask for fewer items`, {
        limit: maxBytes,
      });
    }
    return rows.map(toOutcome);
  }

  return {
    items: (jobId, page) => inTurn(() => readOutcomes({ name: 'read-items', text: READ_ITEMS }, jobId, page)),
    errors: (jobId, { limit }) =>
      inTurn(() => readOutcomes({ name: 'read-errors', text: READ_ERRORS }, jobId, { limit, after: -1 })),
    counters: (jobId) =>
      inTurn(async () => {
        const query = { name: 'read-counters', text: READ_COUNTERS, values: [jobId] };
        const { rows } = await pool.query<{ name: string; total: string }>(query);
        if (rows.length === 0) return null;
        return Object.fromEntries(rows.map(({ name, total }) => [name, Number(total)]));
      }),
  };
}

function checkPage(limit: number, after: number): void {
  checkLimit(limit, MAX_LIMIT);
  if (!Number.isInteger(after) || Math.abs(after) > MAX_INDEX) {
    refuse('INVALID_INPUT', `after must be the index of an item, got ${after}`);
  }
}

function toOutcome({ index, decided }: OutcomeRow): ItemOutcome {
  const parsed = parseJsonExact(decided);
  // It was checked when it was recorded.
  if (!parsed.ok) throw new AppError('INTERNAL', `The outcome of item ${index} can't be read`);
  const [, succeeded, outcome] = parsed.value as DecidedItem;
  return succeeded === 1
    ? { index, status: 'SUCCEEDED', result: outcome, error: null }
    : { index, status: 'FAILED', result: null, error: outcome };
}
