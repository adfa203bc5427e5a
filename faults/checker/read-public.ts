import { setTimeout as delay } from 'node:timers/promises';
import type { PublicJob, StoredJob, StoredOutcome, StoredProduct } from './evidence.ts';

/** The public door of a platform, and a token of the user whose jobs are checked. */
export interface PublicDoor {
  /** Such as http://127.0.0.1:3001 */
  readonly jobsUrl: string;
  readonly productsUrl: string;
  readonly token: string;
}

const JOB_FIELDS = 'id slug owner status size completed failed endedAt round';
/** Outcomes of one request, and products. */
const PAGE = 500;
const PRODUCTS_PAGE = 100;
const AT_ONCE = 8;

interface JobAnswer {
  readonly id: number;
  readonly slug: string;
  readonly owner: string;
  readonly status: string;
  readonly size: number;
  readonly completed: number;
  readonly failed: number;
  readonly endedAt: string | null;
  readonly round: number;
}

/** What `job` answers for each id, or why it does not; ids that it does not know are left out. */
export async function readPublicJobs(
  door: PublicDoor,
  ids: readonly number[],
): Promise<Map<number, PublicJob | string>> {
  const found = new Map<number, PublicJob | string>();
  await forEach(ids, async (id) => {
    const query = `{ job(id: ${id}) { ${JOB_FIELDS} } }`;
    const answer = await askJobs<{ job: JobAnswer }>(door, query).catch((error: Error) => error.message);
    if (answer) found.set(id, typeof answer === 'string' ? answer : answer.job);
  });
  return found;
}

/** The jobs with the outcomes of all of their items, as far as the public door tells: where no database can be read. */
export async function readJobsPublicly(door: PublicDoor, ids: readonly number[]): Promise<StoredJob[]> {
  const jobs: StoredJob[] = [];
  await forEach(ids, async (id) => {
    const answer = await askJobs<{ job: JobAnswer }>(door, `{ job(id: ${id}) { ${JOB_FIELDS} } }`);
    if (!answer) return;
    const { slug, endedAt, ...rest } = answer.job;
    jobs.push({
      ...rest,
      type: slug,
      key: undefined,
      endedAt: endedAt === null ? null : Date.parse(endedAt),
      outcomes: await readOutcomes(door, id),
      tasks: undefined,
    });
  });
  return jobs;
}

async function readOutcomes(door: PublicDoor, id: number): Promise<StoredOutcome[]> {
  type Page = { job: { items: { index: number; status: string; result: unknown }[] } };
  const outcomes: StoredOutcome[] = [];
  for (let after = -1; ; ) {
    const query = `{ job(id: ${id}) { items(limit: ${PAGE}, after: ${after}) { index status result } } }`;
    const items = (await askJobs<Page>(door, query))?.job.items ?? [];
    for (const { index, status, result } of items) {
      outcomes.push({ index, succeeded: status === 'SUCCEEDED', result });
    }
    const last = items.at(-1);
    if (!last) return outcomes;
    after = last.index;
  }
}

/** The products that each of the jobs has written, as the catalog shows them. */
export async function readProductsPublicly(
  door: PublicDoor,
  jobIds: readonly number[],
): Promise<StoredProduct[]> {
  const fields = 'id name category price basePrice stock rating description sku';
  type Page = { products: (Omit<StoredProduct, 'jobId' | 'rating'> & { rating: number })[] };
  const products: StoredProduct[] = [];
  await forEach(jobIds, async (jobId) => {
    for (let before: string | undefined; ; ) {
      const page = before === undefined ? '' : `, before: "${before}"`;
      const query = `{ products(filter: { jobId: ${jobId} }, limit: ${PRODUCTS_PAGE}${page}) { ${fields} } }`;
      const { data, errors } = await ask<Page>(`${door.productsUrl}/products/graphql`, door.token, query);
      if (!data) throw new Error(`${door.productsUrl} refuses a read: ${errors?.[0]?.message}`);
      const found = data.products;
      products.push(...found.map((one) => ({ ...one, jobId, rating: String(one.rating) })));
      before = found.at(-1)?.id;
      if (before === undefined) break;
    }
  });
  return products;
}

/** @returns undefined when there is no such job @throws on any other refusal */
async function askJobs<T>(door: PublicDoor, query: string): Promise<T | undefined> {
  const { data, errors } = await ask<T>(`${door.jobsUrl}/jobs/graphql`, door.token, query);
  const code = errors?.[0]?.extensions?.code;
  if (code === 404) return undefined;
  if (errors?.[0]) throw new Error(`${door.jobsUrl} refuses a read: ${errors[0].message}`);
  return data ?? undefined;
}

interface Answer<T> {
  readonly data: T | null;
  readonly errors?: { readonly message: string; readonly extensions?: { readonly code?: number } }[];
}

/**
 * A refusal as retryable, and no answer at all, is like any other to those who can wait: it is one too many after this many
 * milliseconds.
 */
const PATIENCE_MS = 60_000;
const AGAIN_MS = 500;

async function ask<T>(url: string, token: string, query: string): Promise<Answer<T>> {
  const started = performance.now();
  for (;;) {
    const isLast = performance.now() - started > PATIENCE_MS;
    try {
      const answer = await askOnce<T>(url, token, query);
      if (isLast || answer.errors?.[0]?.extensions?.code !== 503) return answer;
    } catch (error) {
      if (isLast) throw new Error(`${url} gives no answer: ${reasonOf(error)}`);
    }
    await delay(AGAIN_MS);
  }
}

/** The innermost reason: fetch wraps it. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: { message?: string } };
  return cause?.message ?? message;
}

async function askOnce<T>(url: string, token: string, query: string): Promise<Answer<T>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
    signal: AbortSignal.timeout(30_000),
  });
  return (await response.json()) as Answer<T>;
}

async function forEach<T>(values: readonly T[], work: (value: T) => Promise<void>): Promise<void> {
  const left = values.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const value of left) await work(value);
    }),
  );
}
