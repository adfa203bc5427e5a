import { randomUUID } from 'node:crypto';
import { createTestDatabase, ensureTemplate } from '@jobber/compose/test-database';
import { authDatabase } from '@jobber/db/auth';
import { type Database, openDatabase } from '@jobber/db/connection';
import { migrate } from '@jobber/db/migrate';
import { createScope, type Scope } from '@jobber/shared/lifecycle';
import { createLogger, type Logger } from '@jobber/shared/log';
import { afterAll } from 'vitest';
import { type AuthConfig, loadAuthConfig } from './config.ts';
import { startAuth } from './start-auth.ts';

export const TEST_SERVICE_SECRET = '5c1f0b7e9a4d4c2e8f3a6b1d7e9c0a42';
export const TEST_SETUP_TOKEN = 'a3c9e1f57b2d4068b1d3f5a7c9e0b2d4';
export const TEST_PASSWORD = 'correct horse battery staple';

export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what they asked for
  readonly data: any;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions: { readonly code: number; readonly reason: string; readonly details?: object };
  }[];
}

/** An Auth daemon in this process, with a database of its own. */
export interface TestAuth {
  readonly origin: string;
  readonly grpcAddress: string;
  readonly database: Database;
  readonly databaseUrl: string;
  readonly scope: Scope;
  readonly log: Logger;
  /** What the daemon has logged, one JSON object a line. */
  readonly logLines: string[];
  post(
    query: string,
    variables?: object,
    headers?: Record<string, string>,
  ): Promise<{ answer: Answer; headers: Headers; status: number }>;
  ask(query: string, variables?: object, token?: string): Promise<Answer>;
  /** Registers someone and logs them in. */
  member(): Promise<TestUser>;
  login(email: string, password?: string): Promise<Answer>;
}

export interface TestUser {
  readonly id: string;
  readonly email: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

export const CREATE_USER = `mutation ($input: CreateUserInput!) {
  createUser(createUserInput: $input) { id email roles createdAt }
}`;
export const LOGIN = `mutation ($input: LoginInput!) {
  login(loginInput: $input) { id email accessToken refreshToken expiresAt }
}`;
export const REFRESH = `mutation ($token: String!) {
  refresh(refreshToken: $token) { id email accessToken refreshToken expiresAt }
}`;

/** A database of its own with Auth's tables, for one test file. */
export async function createAuthDatabase(): Promise<{ url: string }> {
  const template = await ensureTemplate('auth', async (url) => void (await migrate(authDatabase, url)));
  return await createTestDatabase({ template });
}

/**
 * Call it at the top level of a test file; it is stopped after the file's tests.
 * @param reroute gives the daemon another way to its database
 */
export async function startTestAuth(
  overrides: Partial<AuthConfig> = {},
  reroute: (databaseUrl: string) => Promise<string> = async (url) => url,
): Promise<TestAuth> {
  const { url: databaseUrl } = await createAuthDatabase();
  const logLines: string[] = [];
  const log = createLogger({ daemon: 'auth', level: 'debug' }, { write: (line) => void logLines.push(line) });
  const scope = createScope(log);
  const config = testConfig(await reroute(databaseUrl), overrides);
  const ports = await startAuth({ config, scope, log });
  if (!ports) throw new Error('Auth was stopped while it started');
  const database = await openDatabase(authDatabase, { url: databaseUrl });
  scope.defer('database of the test', () => database.close());
  afterAll(() => scope.release());
  const origin = `http://127.0.0.1:${ports.port}`;

  async function post(query: string, variables: object = {}, headers: Record<string, string> = {}) {
    const response = await fetch(`${origin}/auth/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
    });
    const answer = (await response.json()) as Answer;
    return { answer, headers: response.headers, status: response.status };
  }

  async function ask(query: string, variables: object = {}, token?: string): Promise<Answer> {
    const { answer } = await post(query, variables, token ? { authorization: `Bearer ${token}` } : {});
    return answer;
  }

  const login = (email: string, password = TEST_PASSWORD) => ask(LOGIN, { input: { email, password } });

  return {
    origin,
    grpcAddress: `127.0.0.1:${ports.grpcPort}`,
    database,
    databaseUrl,
    scope,
    log,
    logLines,
    post,
    ask,
    login,
    async member() {
      const email = `${randomUUID()}@example.com`;
      const created = await ask(CREATE_USER, { input: { email, password: TEST_PASSWORD } });
      if (created.errors) throw new Error(created.errors[0]?.message);
      const { data } = await login(email);
      return data.login as TestUser;
    },
  };
}

export function testConfig(databaseUrl: string, overrides: Partial<AuthConfig> = {}): AuthConfig {
  const config = loadAuthConfig({
    AUTH_PORT: '0',
    AUTH_GRPC_PORT: '0',
    AUTH_DATABASE_URL: databaseUrl,
    SERVICE_SECRET: TEST_SERVICE_SECRET,
    AUTH_SETUP_TOKEN: TEST_SETUP_TOKEN,
    NODE_ENV: 'test',
  });
  return { ...config, ...overrides };
}

/** `reason` of the first error, or what was answered instead. */
export function reasonOf(answer: Answer): string {
  return answer.errors?.[0]?.extensions.reason ?? JSON.stringify(answer.data);
}
