import { type AuthServiceClient, AuthServiceDefinition } from '@jobber/proto/auth/v1/auth';
import { createRemoteAuthentication } from '@jobber/shared/auth-guard';
import { type CallerName, createGrpcClient, createOutbox, credentialOf } from '@jobber/shared/grpc';
import { createScope } from '@jobber/shared/lifecycle';
import { createMetrics } from '@jobber/shared/telemetry';
import { createChannel, createClient, Metadata, Status } from 'nice-grpc';
import { afterAll, expect, test } from 'vitest';
import { startAuth } from '../start-auth.ts';
import {
  REFRESH,
  reasonOf,
  startTestAuth,
  TEST_SERVICE_SECRET,
  type TestUser,
  testConfig,
} from '../test-auth.ts';

const auth = await startTestAuth();
const { log } = auth;
const scope = createScope(log);
afterAll(() => scope.release());
const LOGOUT = 'mutation { logout }';
/** A second, and what the machine stands still; who waited for a daemon that is silent would wait for ever. */
const HELD_UP_MS = 20_000;

/** Another replica of Auth on the same database. */
async function startReplica() {
  const replicaScope = createScope(log);
  scope.defer('replica', () => replicaScope.release());
  const ports = await startAuth({ config: testConfig(auth.databaseUrl), scope: replicaScope, log });
  if (!ports) throw new Error('it was stopped while it started');
  return { grpcAddress: `127.0.0.1:${ports.grpcPort}`, stop: () => replicaScope.release() };
}

function clientOf(address: string, caller: CallerName): AuthServiceClient {
  const options = { address, caller, serviceSecret: TEST_SERVICE_SECRET, tls: undefined, scope };
  return createGrpcClient(AuthServiceDefinition, options);
}

/** What Jobs and Products have, and how often it has asked. */
function createGuard(address: string, caller: CallerName = 'jobs') {
  const client = clientOf(address, caller);
  let questions = 0;
  const authenticate = createRemoteAuthentication({
    client: {
      authenticateMany: (...call) => {
        questions += 1;
        return client.authenticateMany(...call);
      },
      watchRevocations: (...call) => client.watchRevocations(...call),
    },
    registry: createMetrics('test'),
    scope,
    log,
  });
  async function untilKept(token: string): Promise<void> {
    const asksAgain = async () => {
      await authenticate(token);
      const before = questions;
      await authenticate(token);
      return questions > before;
    };
    await expect.poll(asksAgain).toBe(false);
  }
  return { authenticate, untilKept, questions: () => questions };
}

const jobs = createGuard(auth.grpcAddress, 'jobs');
const products = createGuard(auth.grpcAddress, 'products');

async function memberKeptBy(...guards: { untilKept(token: string): Promise<void> }[]): Promise<TestUser> {
  const user = await auth.member();
  for (const guard of guards) await guard.untilKept(user.accessToken);
  return user;
}

/** Sessions of one user: each ends by itself. */
async function sessions(user: TestUser, count: number): Promise<string[]> {
  const { rows } = await auth.database.pool.query<{ address: string }>(
    'select address from session where user_id = $1',
    [user.id],
  );
  expect(rows).toHaveLength(1);
  const tokens: string[] = [];
  for (let i = 0; i < count; i += 1) tokens.push((await auth.login(user.email)).data.login.accessToken);
  return tokens;
}

test('while a login stands, Auth is asked once', async () => {
  const user = await memberKeptBy(jobs);
  async function questionsOfHundred(): Promise<number> {
    const before = jobs.questions();
    for (let i = 0; i < 100; i += 1)
      expect((await jobs.authenticate(user.accessToken))?.userId).toBe(user.id);
    return jobs.questions() - before;
  }
  // A confirmation that comes late, as on a busy machine, costs questions until it is there.
  await expect.poll(questionsOfHundred).toBe(0);
});

test('200 times: once a logout was answered, the very next request is refused by each daemon', async () => {
  const user = await memberKeptBy(jobs, products);
  let slowest = 0;
  for (const token of await sessions(user, 200)) {
    expect(await jobs.authenticate(token)).toBeDefined();
    expect(await products.authenticate(token)).toBeDefined();
    const started = performance.now();
    expect((await auth.ask(LOGOUT, {}, token)).data).toEqual({ logout: true });
    slowest = Math.max(slowest, performance.now() - started);
    expect(await jobs.authenticate(token)).toBeUndefined();
    expect(await products.authenticate(token)).toBeUndefined();
  }
  expect(slowest).toBeLessThan(HELD_UP_MS);
}, 300_000);

test('two logouts of one session at once: whichever is answered, the token is refused', async () => {
  const user = await memberKeptBy(jobs);
  const both = [1, 2].map(async () => {
    const { errors } = await auth.ask(LOGOUT, {}, user.accessToken);
    return [errors?.[0]?.extensions.reason, await jobs.authenticate(user.accessToken)];
  });
  for (const [reason, identity] of await Promise.all(both)) {
    expect([undefined, 'UNAUTHENTICATED']).toContain(reason);
    expect(identity).toBeUndefined();
  }
});

test('once the second use of a refresh token was refused, all tokens of the family are', async () => {
  const user = await memberKeptBy(jobs);
  const next = (await auth.ask(REFRESH, { token: user.refreshToken })).data.refresh;
  await jobs.untilKept(next.accessToken);
  const answers = Array.from({ length: 5 }, async () => {
    expect(reasonOf(await auth.ask(REFRESH, { token: user.refreshToken }))).toBe('TOKEN_INVALID');
    expect(await jobs.authenticate(user.accessToken)).toBeUndefined();
    expect(await jobs.authenticate(next.accessToken)).toBeUndefined();
  });
  await Promise.all(answers);
});

test('what is changed in the database by hand holds, too: roles, deactivation, deletion', async () => {
  const { pool } = auth.database;
  const user = await memberKeptBy(jobs);
  await pool.query(`update user_account set roles = '{viewer}' where id = $1`, [user.id]);
  const roles = async () => (await jobs.authenticate(user.accessToken))?.roles;
  await expect.poll(roles).toEqual(['viewer']);

  await jobs.untilKept(user.accessToken);
  await pool.query('update user_account set deactivated_at = now() where id = $1', [user.id]);
  await expect.poll(() => jobs.authenticate(user.accessToken)).toBeUndefined();

  const other = await memberKeptBy(jobs);
  await pool.query('delete from user_account where id = $1', [other.id]);
  await expect.poll(() => jobs.authenticate(other.accessToken)).toBeUndefined();
});

test('a logout at one replica holds for whoever is connected to another', async () => {
  const replica = await startReplica();
  const there = createGuard(replica.grpcAddress);
  const user = await memberKeptBy(jobs, there);
  for (const token of await sessions(user, 30)) {
    expect(await jobs.authenticate(token)).toBeDefined();
    expect(await there.authenticate(token)).toBeDefined();
    await auth.ask(LOGOUT, {}, token);
    expect(await there.authenticate(token)).toBeUndefined();
    expect(await jobs.authenticate(token)).toBeUndefined();
  }
  await replica.stop();
});

test('a replica that loses its connection to the database takes no part in keeping until it is back', async () => {
  const { pool } = auth.database;
  const user = await memberKeptBy(jobs);
  for (const token of await sessions(user, 5)) {
    await jobs.untilKept(token);
    await pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'jobber-auth-listen' and datname = current_database()`,
    );
    await auth.ask(LOGOUT, {}, token);
    expect(await jobs.authenticate(token)).toBeUndefined();
  }
});

test('a daemon that never acknowledges is cut off, and holds no logout up for longer than a second or so', async () => {
  const user = await memberKeptBy(jobs);
  const silent = clientOf(auth.grpcAddress, 'products');
  const stop = new AbortController();
  const outbox = createOutbox<{ acknowledged: number }>();
  const stream = silent.watchRevocations(outbox, { signal: stop.signal });
  const iterator = stream[Symbol.asyncIterator]();
  expect((await iterator.next()).value).toMatchObject({ number: 1, confirmed: 0, sessionIds: [] });
  const started = performance.now();
  await auth.ask(LOGOUT, {}, user.accessToken);
  expect(performance.now() - started).toBeLessThan(HELD_UP_MS);
  expect(await jobs.authenticate(user.accessToken)).toBeUndefined();
  const drained = async () => {
    for (let next = await iterator.next(); !next.done; next = await iterator.next());
    return 'ended';
  };
  expect(await drained()).toBe('ended');
  outbox.end();
  stop.abort();
});

test('nobody watches without a service credential, nor with the executor’s, Auth’s own or a user’s token', async () => {
  const first = async (client: AuthServiceClient, metadata?: Metadata) => {
    const outbox = createOutbox<{ acknowledged: number }>();
    try {
      const stream = client.watchRevocations(outbox, metadata ? { metadata } : {});
      for await (const message of stream) return message;
      throw new Error('ended');
    } finally {
      outbox.end();
    }
  };
  for (const caller of ['executor', 'auth'] as const) {
    await expect(first(clientOf(auth.grpcAddress, caller))).rejects.toMatchObject({
      code: Status.PERMISSION_DENIED,
    });
  }
  const { accessToken } = await auth.member();
  const channel = createChannel(auth.grpcAddress);
  scope.defer('raw channel', () => channel.close());
  const raw = createClient(AuthServiceDefinition, channel);
  const refused: Record<string, string>[] = [
    {},
    { 'x-jobber-caller': 'jobs', 'x-jobber-credential': credentialOf('jobs', 'another secret') },
    { 'x-jobber-caller': 'jobs', 'x-jobber-credential': accessToken },
    { authorization: `Bearer ${accessToken}` },
  ];
  for (const metadata of refused) {
    await expect(first(raw, new Metadata(metadata))).rejects.toMatchObject({ code: Status.UNAUTHENTICATED });
  }
  expect(await first(clientOf(auth.grpcAddress, 'products'))).toMatchObject({ number: 1 });
});
