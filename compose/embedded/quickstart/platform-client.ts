import { setTimeout as delay } from 'node:timers/promises';
import type { LocalProfile } from '../platform/profile-file.ts';

export interface Product {
  readonly id: string;
  readonly name: string;
  readonly category: string;
  /** Decimals. */
  readonly price: string;
  readonly basePrice: string;
  readonly stock: number;
}

export interface Category {
  readonly name: string;
  /** Per cent, a decimal. */
  readonly charge: string;
}

export interface Job {
  readonly id: number;
  readonly status: string;
  readonly size: number;
  readonly completed: number;
  readonly failed: number;
  readonly result?: { readonly number: string; readonly digits: number };
  readonly errors?: readonly { readonly index: number; readonly message: string }[];
}

/** A user who is logged in. */
export interface PlatformClient {
  executeJob(name: string, data: unknown): Promise<Job>;
  /** Asks until the job has ended. @throws when it has not completed */
  waitForJob(id: number, onProgress?: (job: Job) => void): Promise<Job>;
  upload(fileName: string, content: Uint8Array<ArrayBuffer>): Promise<{ filename: string; records: number }>;
  categories(): Promise<readonly Category[]>;
  /** All that a job has written. */
  productsOf(jobId: number): Promise<readonly Product[]>;
}

const ASK_EVERY_MS = 50;
const PAGE = 50;
const JOB = 'id status size completed failed';

/** Registers a user and logs in. */
export async function logIn(
  addresses: LocalProfile,
  account: { email: string; password: string },
  signal: AbortSignal,
): Promise<PlatformClient> {
  const authUrl = `${addresses.auth}/auth/graphql`;
  await graphql(
    authUrl,
    'mutation ($input: CreateUserInput!) { createUser(createUserInput: $input) { id email } }',
    { input: account },
    { signal },
  );
  const { login } = await graphql<{ login: { accessToken: string } }>(
    authUrl,
    'mutation ($input: LoginInput!) { login(loginInput: $input) { id accessToken } }',
    { input: account },
    { signal },
  );
  const headers = { authorization: `Bearer ${login.accessToken}` };
  const askJobs = <T>(query: string, variables: object) =>
    graphql<T>(`${addresses.jobs}/jobs/graphql`, query, variables, { headers, signal });
  const askProducts = <T>(query: string, variables: object) =>
    graphql<T>(`${addresses.products}/products/graphql`, query, variables, { headers, signal });

  return {
    async executeJob(name, data) {
      const { executeJob } = await askJobs<{ executeJob: Job }>(
        `mutation ($input: ExecuteJobInput!) { executeJob(executeJobInput: $input) { ${JOB} } }`,
        { input: { name, data } },
      );
      return executeJob;
    },
    async waitForJob(id, onProgress = () => {}) {
      for (;;) {
        const { job } = await askJobs<{ job: Job }>(
          `query ($id: Float!) { job(id: $id) { ${JOB} result errors(limit: 1) { index message } } }`,
          { id },
        );
        onProgress(job);
        if (job.status === 'COMPLETED') return job;
        if (job.status !== 'IN_PROGRESS') throw new Error(describeFailure(job));
        await delay(ASK_EVERY_MS, undefined, { signal });
      }
    },
    async upload(fileName, content) {
      const form = new FormData();
      form.append('file', new Blob([content]), fileName);
      const url = `${addresses.jobs}/jobs/uploads/file`;
      const response = await fetch(url, { method: 'POST', body: form, headers, signal });
      if (response.status !== 201) throw new Error(`The upload was refused: ${await response.text()}`);
      return (await response.json()) as { filename: string; records: number };
    },
    async categories() {
      return (await askProducts<{ categories: Category[] }>('{ categories { name charge } }', {})).categories;
    },
    async productsOf(jobId) {
      const found: Product[] = [];
      for (;;) {
        const { products } = await askProducts<{ products: Product[] }>(
          `query ($filter: ProductFilter, $limit: Int, $before: ID) {
             products(filter: $filter, limit: $limit, before: $before) { id name category price basePrice stock }
           }`,
          { filter: { jobId }, limit: PAGE, before: found.at(-1)?.id },
        );
        found.push(...products);
        if (products.length < PAGE) return found;
      }
    },
  };
}

function describeFailure({ id, status, failed, size, errors }: Job): string {
  const first = errors?.[0];
  const why = first ? `; item ${first.index}: ${first.message}` : '';
  return `Job ${id} ended as ${status}: ${failed} of ${size} items failed${why}`;
}

async function graphql<T>(
  url: string,
  query: string,
  variables: object,
  { headers = {}, signal }: { headers?: Record<string, string>; signal: AbortSignal },
): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
    signal,
  });
  const answer = (await response.json()) as { data?: T; errors?: { message: string }[] };
  const refusal = answer.errors?.[0];
  if (refusal || !answer.data)
    throw new Error(`${url} answered: ${refusal?.message ?? `HTTP ${response.status}`}`);
  return answer.data;
}
