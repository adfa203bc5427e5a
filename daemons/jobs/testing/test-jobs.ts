import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase, ensureTemplate } from '@jobber/compose/test-database';
import { type Database, openDatabase } from '@jobber/db/connection';
import { JobType, jobsDatabase } from '@jobber/db/jobs';
import { migrate } from '@jobber/db/migrate';
import { type JobsServiceClient, JobsServiceDefinition } from '@jobber/proto/jobs/v1/jobs';
import type { Broker } from '@jobber/shared/broker';
import { type CallerName, createGrpcClient } from '@jobber/shared/grpc';
import { createScope, type Scope } from '@jobber/shared/lifecycle';
import { createLogger, type Logger } from '@jobber/shared/log';
import { afterAll, expect } from 'vitest';
import { type JobsConfig, loadJobsConfig } from '../config.ts';
import { startJobs } from '../start-jobs.ts';
import { type FakeAuth, SERVICE_SECRET, startFakeAuth, type TestUser } from './fake-auth.ts';
import { ECHO } from './open-test-database.ts';

export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what they asked for
  readonly data: any;
  readonly errors?: readonly {
    readonly message: string;
    // biome-ignore lint/suspicious/noExplicitAny: tests look at what they expect
    readonly extensions: { readonly code: number; readonly reason: string; readonly details?: any };
  }[];
}

/** A Jobs daemon in this process, with a database and a folder of its own and an Auth that the test controls. */
export interface TestJobs {
  readonly origin: string;
  readonly grpcAddress: string;
  readonly uploadsDir: string;
  readonly databaseUrl: string;
  readonly auth: FakeAuth;
  readonly database: Database;
  readonly scope: Scope;
  /** What the daemon has logged, one JSON object a line. */
  readonly logLines: string[];
  /** A GraphQL request as the user, or as nobody. */
  ask(user: TestUser | undefined, query: string, variables?: object, headers?: object): Promise<Answer>;
  /** Accepts a job of echo. @returns its id */
  accept(user: TestUser, data: unknown): Promise<number>;
  /** An executor's client of this daemon, or of another, with the service credential of `caller`. */
  client(caller?: CallerName, secret?: string, address?: string): JobsServiceClient;
  upload(
    user: TestUser | undefined,
    form: FormData | Buffer,
    headers?: Record<string, string>,
  ): Promise<Response>;
  /** Files in the folder of the uploads. */
  files(): Promise<string[]>;
}

export const EXECUTE = `mutation ($input: ExecuteJobInput!) {
  executeJob(executeJobInput: $input) { id name size completed failed status startedAt endedAt owner }
}`;
export const JOB =
  'query ($id: Float!) { job(id: $id) { id name status size completed failed result endedAt } }';

/** The address of a database of the test file's own, with the jobs schema and the job type `echo`. */
export async function createJobsDatabase(): Promise<string> {
  const template = await ensureTemplate('jobs', async (url) => void (await migrate(jobsDatabase, url)));
  const { url } = await createTestDatabase({ template });
  return url;
}

/**
 * Call it at the top level of a test file; it is stopped after the file's tests.
 * @param overrides `beside`: as another replica with the database, the uploads and the Auth of that one
 */
export async function startTestJobs(
  overrides: Partial<JobsConfig> & {
    throughUrl?: (url: string) => Promise<string>;
    beside?: TestJobs;
    brokerInMemory?: Broker;
  } = {},
): Promise<TestJobs> {
  const { throughUrl = async (url: string) => url, beside, brokerInMemory: broker, ...config } = overrides;
  const logLines: string[] = [];
  const log = createLogger({ daemon: 'jobs', level: 'debug' }, { write: (line) => void logLines.push(line) });
  const scope = createScope(log);
  const { databaseUrl, database, uploadsDir, auth } = beside ?? (await openSurroundings(log));
  afterAll(() => scope.release());
  const settings = loadJobsConfig({
    JOBS_PORT: '0',
    JOBS_GRPC_PORT: '0',
    JOBS_DATABASE_URL: await throughUrl(databaseUrl),
    JOBS_UPLOADS_DIR: uploadsDir,
    AUTH_GRPC_URL: auth.address,
    SERVICE_SECRET,
    NODE_ENV: 'test',
  });
  const ports = await startJobs({
    config: { ...settings, ...config },
    scope,
    log,
    ...(broker && { broker }),
  });
  if (!ports) throw new Error('Jobs was stopped while it started');
  const origin = `http://127.0.0.1:${ports.port}`;
  const grpcAddress = `127.0.0.1:${ports.grpcPort}`;

  async function ask(
    user: TestUser | undefined,
    query: string,
    variables: object = {},
    headers: object = {},
  ): Promise<Answer> {
    const response = await fetch(`${origin}/jobs/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...bearer(user), ...headers },
      body: JSON.stringify({ query, variables }),
    });
    expect(response.status).toBe(200);
    return (await response.json()) as Answer;
  }

  return {
    origin,
    grpcAddress,
    uploadsDir,
    databaseUrl,
    auth,
    database,
    scope,
    logLines,
    ask,
    async accept(user, data) {
      const { data: answer, errors } = await ask(user, EXECUTE, { input: { name: 'Echo', data } });
      if (errors) throw new Error(errors[0]?.message);
      return answer.executeJob.id;
    },
    client(caller = 'executor', serviceSecret = SERVICE_SECRET, address = grpcAddress) {
      const options = { address, caller, serviceSecret, tls: undefined, scope };
      return createGrpcClient(JobsServiceDefinition, options);
    },
    upload: (user, form, headers = {}) =>
      fetch(`${origin}/jobs/uploads/file`, {
        method: 'POST',
        headers: { ...bearer(user), ...headers },
        body: form as FormData,
      }),
    files: () => readdir(uploadsDir),
  };
}

/** What a daemon needs around it; it is closed after the daemon, as it was opened before. */
async function openSurroundings(
  log: Logger,
): Promise<Pick<TestJobs, 'databaseUrl' | 'database' | 'uploadsDir' | 'auth'>> {
  const databaseUrl = await createJobsDatabase();
  const database = await openDatabase(jobsDatabase, { url: databaseUrl });
  await database.orm.em.fork().insert(JobType, { ...ECHO, offeredAt: new Date() });
  const uploadsDir = await mkdtemp(join(tmpdir(), 'jobber-uploads-'));
  const auth = await startFakeAuth(log);
  afterAll(async () => {
    await auth.stop();
    await database.close();
    await rm(uploadsDir, { recursive: true, force: true });
  });
  return { databaseUrl, database, uploadsDir, auth };
}

export function bearer(user: TestUser | undefined): Record<string, string> {
  return user ? { authorization: `Bearer ${user.token}` } : {};
}

/** A form with one file. */
export function formWith(content: string | Uint8Array, name = 'items.json', field = 'file'): FormData {
  const form = new FormData();
  form.append(field, new Blob([content as string]), name);
  return form;
}

/** `reason` of the first error, or what was answered instead. */
export function reasonOf(answer: Answer): string {
  return answer.errors?.[0]?.extensions.reason ?? JSON.stringify(answer.data);
}
