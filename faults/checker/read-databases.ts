import { Client } from 'pg';
import type { StoredEffect, StoredJob, StoredOutcome, StoredProduct, StoredTasks } from './evidence.ts';

/** Addresses of the three databases, each with a role that may only read. */
export interface DatabaseUrls {
  readonly jobs: string;
  readonly products: string;
  readonly auth: string;
}

export interface StoredState {
  readonly jobs: StoredJob[];
  readonly products: StoredProduct[];
  readonly effects: StoredEffect[];
  readonly users: Set<string>;
}

/** Reads everything that is stored; each database in one read-only transaction, so that it is seen at one moment. */
export async function readDatabases(urls: DatabaseUrls): Promise<StoredState> {
  const [jobs, catalog, users] = await Promise.all([
    reading(urls.jobs, readJobs),
    reading(urls.products, readCatalog),
    reading(urls.auth, async (client) => {
      const { rows } = await client.query<{ id: string }>('select id from user_account');
      return new Set(rows.map(({ id }) => id));
    }),
  ]);
  return { jobs, ...catalog, users };
}

async function reading<T>(url: string, read: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, application_name: 'checker' });
  // A lost connection fails the statement under way; unheard, this event would end the process.
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query('begin transaction isolation level repeatable read read only');
    return await read(client);
  } finally {
    await client.end();
  }
}

interface TaskRow {
  readonly job_id: string;
  readonly state: string;
  readonly first_item: number;
  readonly item_count: number;
  readonly leased: boolean;
  /** Whether its death is the last that the history tells of it, and not its redrive. */
  readonly died_last: boolean;
  readonly decided: readonly (readonly [offset: number, succeeded: 0 | 1, result: unknown])[];
}

/** So many tasks at once: their results may be large. */
const PAGE = 2_000;

async function readJobs(client: Client): Promise<StoredJob[]> {
  const { rows } = await client.query(`
    select id, owner_id, idempotency_key, type, status, size, completed, failed, round,
      floor(extract(epoch from ended_at) * 1000)::float8 as ended_at
    from job order by id`);
  const tasks = await readTasks(client);
  const redriven = await readRedrivenRounds(client);
  return rows.map((row) => {
    const id = Number(row.id);
    const { outcomes, ranges, ...counts } = tasks.get(id) ?? noTasks();
    return {
      id,
      owner: row.owner_id,
      key: row.idempotency_key,
      type: row.type,
      status: row.status,
      size: row.size,
      completed: row.completed,
      failed: row.failed,
      endedAt: row.ended_at,
      round: row.round,
      outcomes,
      tasks: {
        ...counts,
        redrivenRounds: redriven.get(id) ?? [],
        uncovered: countUncovered(ranges, row.size),
      },
    };
  });
}

async function readRedrivenRounds(client: Client): Promise<Map<number, number[]>> {
  const { rows } = await client.query<{ job_id: string; rounds: number[] }>(`
    select job_id, array_agg(distinct round order by round) as rounds from history
    where event = 'redriven' group by job_id`);
  return new Map(rows.map(({ job_id, rounds }) => [Number(job_id), rounds]));
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

interface TaskSums extends Omit<Mutable<StoredTasks>, 'uncovered' | 'redrivenRounds'> {
  readonly outcomes: StoredOutcome[];
  readonly ranges: [from: number, count: number][];
}

function noTasks(): TaskSums {
  return { unfinished: 0, leases: 0, dead: 0, withFailures: 0, misreported: 0, outcomes: [], ranges: [] };
}

async function readTasks(client: Client): Promise<Map<number, TaskSums>> {
  const sums = new Map<number, TaskSums>();
  await client.query(`
    declare tasks no scroll cursor for
    select job_id, state, first_item, item_count, lease_until is not null as leased, decided,
      coalesce((select event = 'died' from history
        where history.job_id = task.job_id and history.seq = task.seq and event in ('died', 'redriven')
        order by id desc limit 1), false) as died_last
    from task order by job_id, seq`);
  for (;;) {
    const { rows } = await client.query<TaskRow>(`fetch ${PAGE} from tasks`);
    for (const row of rows) addTask(sums, row);
    if (rows.length < PAGE) return sums;
  }
}

function addTask(sums: Map<number, TaskSums>, row: TaskRow): void {
  const jobId = Number(row.job_id);
  const sum = sums.get(jobId) ?? noTasks();
  sums.set(jobId, sum);
  const dead = row.state === 'dead';
  const failed = row.decided.some(([, succeeded]) => succeeded === 0);
  if (!['succeeded', 'dead', 'cancelled'].includes(row.state)) sum.unfinished += 1;
  if (row.leased) sum.leases += 1;
  if (dead) sum.dead += 1;
  if (failed) sum.withFailures += 1;
  if ((dead !== failed && row.state !== 'cancelled') || dead !== row.died_last) sum.misreported += 1;
  sum.ranges.push([row.first_item, row.item_count]);
  for (const [offset, succeeded, result] of row.decided) {
    // An item outside its task is told apart from any item of the job.
    const index = offset >= 0 && offset < row.item_count ? row.first_item + offset : -1;
    sum.outcomes.push({ index, succeeded: succeeded === 1, result });
  }
}

function countUncovered(ranges: readonly [number, number][], size: number): number {
  const covered = new Uint8Array(size);
  let doubled = 0;
  for (const [from, count] of ranges) {
    for (let index = from; index < from + count; index += 1) {
      if (index >= size || covered[index] === 1) doubled += 1;
      else covered[index] = 1;
    }
  }
  return doubled + covered.filter((one) => one === 0).length;
}

async function readCatalog(client: Client): Promise<{ products: StoredProduct[]; effects: StoredEffect[] }> {
  const products = await client.query(`
    select id::text, job_id, name, category, price::text, base_price::text, rating::text, stock, description, sku
    from product`);
  const effects = await client.query('select job_id, item_index, product_id::text, created from effect');
  return {
    products: products.rows.map(({ job_id, base_price, ...rest }) => ({
      ...rest,
      jobId: Number(job_id),
      basePrice: base_price,
    })),
    effects: effects.rows.map((row) => ({
      jobId: Number(row.job_id),
      itemIndex: row.item_index,
      productId: row.product_id,
      created: row.created,
    })),
  };
}
