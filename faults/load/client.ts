import { randomUUID } from 'node:crypto';

/** A user of the platform, logged in. Every call gives up after its time. */
export interface Client {
  /** UUID. */
  readonly userId: string;
  /** Is renewed in time, however long a run takes. */
  readonly token: string;
  /** What must not be read anywhere. */
  readonly secrets: readonly string[];
  executeJob(request: JobRequest): Promise<Answer>;
  /** @returns undefined when there was no answer, or a refusal */
  readJob(id: number): Promise<JobRead | undefined>;
  cancelJob(id: number): Promise<ChangeAnswer>;
  /** Begins a new round with all failed items of a job. */
  retryJob(id: number): Promise<ChangeAnswer>;
  /** Begins a new round with the dead letters of these jobs. */
  redriveDeadLetters(jobIds: readonly number[]): Promise<ChangeAnswer>;
  /** @returns the name to run a job by @throws when it is not taken */
  upload(name: string, content: string): Promise<string>;
}

export interface JobRequest {
  readonly name: string;
  readonly data: unknown;
  readonly idempotencyKey: string;
}

interface Refused {
  readonly kind: 'refused';
  readonly code: number;
  readonly reason: string;
  /** For people. */
  readonly message: string;
}

interface Unknown {
  readonly kind: 'unknown';
  readonly why: string;
}

export type Answer = { readonly kind: 'accepted'; readonly jobId: number } | Refused | Unknown;

export type ChangeAnswer =
  | { readonly kind: 'done'; readonly jobIds: readonly number[]; readonly round?: number }
  | Refused
  | Unknown;

export interface JobRead {
  readonly id: number;
  readonly status: string;
  readonly size: number;
  readonly completed: number;
  readonly failed: number;
  readonly endedAt: string | null;
  readonly round: number;
}

export interface ClientUrls {
  readonly auth: string;
  readonly jobs: string;
}

const EXECUTE = 'mutation ($i: ExecuteJobInput!) { executeJob(executeJobInput: $i) { id } }';
const CANCEL = 'mutation ($id: Float!) { cancelJob(id: $id) { id } }';
const RETRY = 'mutation ($id: Float!) { retryJob(id: $id) { round } }';
const REDRIVE = 'mutation ($jobIds: [Float!]) { redriveDeadLetters(filter: { job: $jobIds }) { jobs } }';
/** Longer than the platform's promise of 5 s, so that an answer that is late is told from none. */
const CALL_MS = 12_000;
const READ = 'query ($id: Float!) { job(id: $id) { id status size completed failed endedAt round } }';

/** Registers a user of its own and logs in. */
export async function connectClient(urls: ClientUrls): Promise<Client> {
  const email = `faults-${randomUUID()}@example.com`;
  const password = randomUUID();
  const auth = `${urls.auth}/auth/graphql`;
  const created = await ask<{ createUser: { id: string } }>(
    auth,
    undefined,
    'mutation ($i: CreateUserInput!) { createUser(createUserInput: $i) { id } }',
    { i: { email, password } },
  );
  const userId = need(created).createUser.id;
  const secrets: string[] = [password];
  async function logIn(): Promise<string> {
    const query = 'mutation ($i: LoginInput!) { login(loginInput: $i) { accessToken refreshToken } }';
    const { accessToken, refreshToken } = need(
      await ask<{ login: { accessToken: string; refreshToken: string } }>(auth, undefined, query, {
        i: { email, password },
      }),
    ).login;
    secrets.push(accessToken, refreshToken);
    return accessToken;
  }
  return createClient(urls, { userId, secrets, currentToken: keepLoggedIn(await logIn(), logIn) });
}

const RENEW_AGAIN_MS = 1_000;

/** @returns the token that is to be used now; when half of its time has passed, the next one is asked for */
function keepLoggedIn(first: string, logIn: () => Promise<string>): () => string {
  let token = first;
  let renewAt = performance.now() + lifetimeMs(token) / 2;

  async function renew(): Promise<void> {
    token = await logIn();
    renewAt = performance.now() + lifetimeMs(token) / 2;
  }

  return function currentToken() {
    if (performance.now() >= renewAt) {
      renewAt = performance.now() + RENEW_AGAIN_MS;
      // Auth may be away: the old token holds for a while yet.
      renew().catch(() => {});
    }
    return token;
  };
}

/** By the clock of Auth alone. */
function lifetimeMs(token: string): number {
  const { iat, exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    iat: number;
    exp: number;
  };
  return (exp - iat) * 1_000;
}

function createClient(
  urls: ClientUrls,
  { userId, secrets, currentToken }: Pick<Client, 'userId' | 'secrets'> & { currentToken: () => string },
): Client {
  const jobs = `${urls.jobs}/jobs/graphql`;

  /** No answer is an answer, too. */
  async function call<Data, Told extends { kind: string }>(
    query: string,
    variables: object,
    read: (data: Data) => Told,
  ): Promise<Told | Refused | Unknown> {
    try {
      const { data, errors } = await ask<Data>(jobs, currentToken(), query, variables);
      if (data) return read(data);
      const { code = 0, reason = '' } = errors?.[0]?.extensions ?? {};
      return { kind: 'refused', code, reason, message: errors?.[0]?.message ?? '' };
    } catch (error) {
      return { kind: 'unknown', why: reasonOf(error) };
    }
  }

  return {
    userId,
    get token() {
      return currentToken();
    },
    secrets,
    executeJob: (request) =>
      call<{ executeJob: { id: number } }, Answer>(EXECUTE, { i: request }, ({ executeJob }) => ({
        kind: 'accepted',
        jobId: executeJob.id,
      })),
    async readJob(id) {
      const answer = await ask<{ job: JobRead }>(jobs, currentToken(), READ, { id }).catch(() => undefined);
      return answer?.data?.job;
    },
    cancelJob: (id) => call<object, ChangeAnswer>(CANCEL, { id }, () => ({ kind: 'done', jobIds: [id] })),
    retryJob: (id) =>
      call<{ retryJob: { round: number } }, ChangeAnswer>(RETRY, { id }, ({ retryJob }) => ({
        kind: 'done',
        jobIds: [id],
        round: retryJob.round,
      })),
    redriveDeadLetters: (jobIds) =>
      call<{ redriveDeadLetters: { jobs: number[] } }, ChangeAnswer>(REDRIVE, { jobIds }, (data) => ({
        kind: 'done',
        jobIds: data.redriveDeadLetters.jobs,
      })),
    async upload(name, content) {
      const form = new FormData();
      form.append('file', new Blob([content]), name);
      const response = await fetch(`${urls.jobs}/jobs/uploads/file`, {
        method: 'POST',
        body: form,
        headers: { authorization: `Bearer ${currentToken()}` },
        signal: AbortSignal.timeout(60_000),
      });
      const answer = (await response.json()) as { filename?: string; message?: string };
      if (response.status !== 201 || !answer.filename) {
        throw new Error(`The upload was refused with ${response.status}: ${answer.message}`);
      }
      return answer.filename;
    },
  };
}

interface GraphqlAnswer<T> {
  readonly data: T | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: { readonly code?: number; readonly reason?: string };
  }[];
}

async function ask<T>(
  url: string,
  token: string | undefined,
  query: string,
  variables: object,
): Promise<GraphqlAnswer<T>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(CALL_MS),
  });
  return (await response.json()) as GraphqlAnswer<T>;
}

function need<T>({ data, errors }: GraphqlAnswer<T>): T {
  if (data === null || data === undefined) throw new Error(errors?.[0]?.message ?? 'no data');
  return data;
}

/** The innermost reason: fetch wraps it. */
export function reasonOf(error: unknown): string {
  const { cause, name, message } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? `${name}: ${message}`;
}
