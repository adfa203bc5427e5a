import pg from 'pg';

export type DatabaseUrls = Readonly<Record<'auth' | 'jobs' | 'products', string>>;

/** In what the three databases do not belong to the same moment. All zero and empty: they do. */
export interface Differences {
  /** The next job would get a number under which Products knows effects: its items would be taken for done. */
  readonly jobNumbersUsed: { readonly next: number; readonly highestUsed: number } | undefined;
  /** Jobs that Products has effects of and Jobs does not know: Products is ahead. */
  readonly unknownJobs: readonly { readonly jobId: number; readonly products: number }[];
  /** Loads of which Jobs counts more items as done than Products has effects of: Products is behind. */
  readonly missingEffects: readonly { readonly jobId: number; readonly missing: number }[];
  /** Owners of jobs and uploads that Auth does not know: Auth is behind. */
  readonly unknownOwners: readonly {
    readonly ownerId: string;
    readonly jobs: number;
    readonly uploads: number;
  }[];
}

/** The job type whose items each leave an effect in Products. */
const LOADS = 'load-products';
/** Rows that are compared together. */
const BATCH = 10_000;

const EFFECTS_OF_JOBS = `
  select job_id::float8 as "jobId", count(*)::int as effects, count(*) filter (where created)::int as created
  from effect where job_id > $1 group by job_id order by job_id limit ${BATCH}`;
const KNOWN_JOBS = 'select id::float8 as id from job where id = any($1)';
const LOADS_DONE = `
  select id::float8 as "jobId", completed from job
  where type = '${LOADS}' and completed > 0 and id > $1 order by id limit ${BATCH}`;
const EFFECTS_OF =
  'select job_id::float8 as "jobId", count(*)::int as effects from effect where job_id = any($1) group by job_id';
const OWNERS = `
  select owner_id as "ownerId", sum(jobs)::int as jobs, sum(uploads)::int as uploads from (
    select owner_id, count(*) as jobs, 0 as uploads from job group by owner_id
    union all select owner_id, 0, count(*) from upload where removed_at is null group by owner_id) as owned
  group by owner_id order by owner_id`;
const KNOWN_USERS = 'select id from user_account where id = any($1)';
const NEXT_JOB = `
  select (case when is_called then last_value + 1 else last_value end)::float8 as next from job_id_seq`;

/** Compares the three databases. Reads only; jobs may run meanwhile, but then what they are at looks like a difference. */
export async function compareDatabases(urls: DatabaseUrls): Promise<Differences> {
  return withClients(urls, async ({ auth, jobs, products }) => {
    const highestUsed = await readNumber(
      products,
      'select coalesce(max(job_id), 0)::float8 as n from effect',
    );
    const { rows } = await jobs.query<{ next: number }>(NEXT_JOB);
    const next = rows[0]?.next ?? 1;
    return {
      jobNumbersUsed: next <= highestUsed ? { next, highestUsed } : undefined,
      unknownJobs: await findUnknownJobs(jobs, products),
      missingEffects: await findMissingEffects(jobs, products),
      unknownOwners: await findUnknownOwners(auth, jobs),
    };
  });
}

async function findUnknownJobs(jobs: pg.Client, products: pg.Client): Promise<Differences['unknownJobs']> {
  const unknown: { jobId: number; products: number }[] = [];
  for (let after = 0; ; ) {
    const { rows } = await products.query<{ jobId: number; created: number }>(EFFECTS_OF_JOBS, [after]);
    if (rows.length === 0) return unknown;
    const found = await jobs.query<{ id: number }>(KNOWN_JOBS, [rows.map(({ jobId }) => jobId)]);
    const known = new Set(found.rows.map(({ id }) => id));
    for (const { jobId, created } of rows) if (!known.has(jobId)) unknown.push({ jobId, products: created });
    after = rows.at(-1)?.jobId ?? after;
  }
}

async function findMissingEffects(
  jobs: pg.Client,
  products: pg.Client,
): Promise<Differences['missingEffects']> {
  const missing: { jobId: number; missing: number }[] = [];
  for (let after = 0; ; ) {
    const { rows } = await jobs.query<{ jobId: number; completed: number }>(LOADS_DONE, [after]);
    if (rows.length === 0) return missing;
    const found = await products.query<{ jobId: number; effects: number }>(EFFECTS_OF, [
      rows.map(({ jobId }) => jobId),
    ]);
    const effects = new Map(found.rows.map((row) => [row.jobId, row.effects]));
    for (const { jobId, completed } of rows) {
      const lacking = completed - (effects.get(jobId) ?? 0);
      if (lacking > 0) missing.push({ jobId, missing: lacking });
    }
    after = rows.at(-1)?.jobId ?? after;
  }
}

async function findUnknownOwners(auth: pg.Client, jobs: pg.Client): Promise<Differences['unknownOwners']> {
  const { rows } = await jobs.query<Differences['unknownOwners'][number]>(OWNERS);
  const found = await auth.query<{ id: string }>(KNOWN_USERS, [rows.map(({ ownerId }) => ownerId)]);
  const known = new Set(found.rows.map(({ id }) => id));
  return rows.filter(({ ownerId }) => !known.has(ownerId));
}

async function readNumber(client: pg.Client, query: string): Promise<number> {
  const { rows } = await client.query<{ n: number }>(query);
  return rows[0]?.n ?? 0;
}

/** Runs `work` with a connection to each of the three databases. */
export async function withClients<T>(
  urls: DatabaseUrls,
  work: (clients: Record<keyof DatabaseUrls, pg.Client>) => Promise<T>,
): Promise<T> {
  const open = (url: string) => {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
    // A lost connection also fails the statement under way; unheard, this event would end the process.
    client.on('error', () => {});
    return client;
  };
  const clients = { auth: open(urls.auth), jobs: open(urls.jobs), products: open(urls.products) };
  try {
    for (const client of Object.values(clients)) await client.connect();
    return await work(clients);
  } finally {
    for (const client of Object.values(clients)) await client.end().catch(() => {});
  }
}
