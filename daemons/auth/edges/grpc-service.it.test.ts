import { randomUUID } from 'node:crypto';
import { type DatabaseGate, SOON_MS, startDatabaseGate } from '@jobber/compose/test-database-gate';
import { type AuthServiceClient, AuthServiceDefinition } from '@jobber/proto/auth/v1/auth';
import { createRemoteAuthentication } from '@jobber/shared/auth-guard';
import { type CallerName, createGrpcClient, credentialOf, deadline } from '@jobber/shared/grpc';
import { createMetrics } from '@jobber/shared/telemetry';
import { createChannel, createClient, Metadata, Status } from 'nice-grpc';
import { afterAll, expect, test } from 'vitest';
import { startTestAuth, TEST_SERVICE_SECRET } from '../test-auth.ts';

const auth = await startTestAuth();

function clientOf(caller: CallerName, serviceSecret = TEST_SERVICE_SECRET): AuthServiceClient {
  return createGrpcClient(AuthServiceDefinition, {
    address: auth.grpcAddress,
    caller,
    serviceSecret,
    tls: undefined,
    scope: auth.scope,
  });
}

const jobs = clientOf('jobs');

/** A client that presents whatever it is given. */
function rawCall(metadata: Record<string, string>): Promise<unknown> {
  const channel = createChannel(auth.grpcAddress);
  auth.scope.defer('raw channel', () => channel.close());
  const client = createClient(AuthServiceDefinition, channel);
  return client.authenticateMany({ tokens: [] }, { metadata: new Metadata(metadata), ...deadline(30_000) });
}

test('Authenticate tells who holds a token and what they may do', async () => {
  const user = await auth.member();
  const { identity } = await jobs.authenticate({ token: user.accessToken }, deadline(30_000));
  expect(identity).toMatchObject({ userId: user.id, email: user.email, roles: ['member'] });
  expect(identity?.permissions).toContain('jobs:submit');
  expect(identity?.permissions).not.toContain('users:read');
  expect(identity?.sessionId).toMatch(/^[0-9a-f-]{36}$/);
  expect(identity?.expiresAtMs).toBeGreaterThan(Date.now() + 800_000);
});

test('Authenticate refuses what is no valid token', async () => {
  const { refreshToken } = await auth.member();
  for (const token of ['', 'nonsense', refreshToken, 'x'.repeat(100_000)]) {
    await expect(jobs.authenticate({ token }, deadline(30_000))).rejects.toMatchObject({
      code: Status.UNAUTHENTICATED,
      details: 'Unauthorized',
    });
  }
});

test('AuthenticateMany answers in the order of the tokens, and one bad token spoils nothing', async () => {
  const [ada, grace] = await Promise.all([auth.member(), auth.member()]);
  const tokens = [grace.accessToken, 'bad', ada.accessToken, '', grace.accessToken, ada.refreshToken];
  const { results } = await jobs.authenticateMany({ tokens }, deadline(30_000));
  expect(results.map(({ identity }) => identity?.userId)).toEqual([
    grace.id,
    undefined,
    ada.id,
    undefined,
    grace.id,
    undefined,
  ]);
  expect((await jobs.authenticateMany({ tokens: [] }, deadline(30_000))).results).toEqual([]);
});

test('AuthenticateMany takes 1,000 tokens and no more', async () => {
  const { accessToken } = await auth.member();
  const { results } = await jobs.authenticateMany(
    { tokens: Array<string>(1_000).fill(accessToken) },
    deadline(30_000),
  );
  expect(results.filter(({ identity }) => identity !== undefined)).toHaveLength(1_000);
  await expect(
    jobs.authenticateMany({ tokens: Array<string>(1_001).fill('x') }, deadline(30_000)),
  ).rejects.toMatchObject({ code: Status.INVALID_ARGUMENT });
});

test('a logout holds with the next call', async () => {
  const user = await auth.member();
  await jobs.authenticate({ token: user.accessToken }, deadline(30_000));
  await auth.ask('mutation { logout }', {}, user.accessToken);
  await expect(jobs.authenticate({ token: user.accessToken }, deadline(30_000))).rejects.toMatchObject({
    code: Status.UNAUTHENTICATED,
  });
});

test('a token of one user with the session of another is nobody’s', async () => {
  const [ada, grace] = await Promise.all([auth.member(), auth.member()]);
  await auth.database.pool.query('update session set user_id = $1 where user_id = $2', [ada.id, grace.id]);
  const { results } = await jobs.authenticateMany(
    { tokens: [grace.accessToken, ada.accessToken] },
    deadline(30_000),
  );
  expect(results.map(({ identity }) => identity?.userId)).toEqual([undefined, ada.id]);
});

test('jobs and products may ask; the executor may not', async () => {
  for (const caller of ['jobs', 'products'] as const) {
    expect((await clientOf(caller).authenticateMany({ tokens: [] }, deadline(30_000))).results).toEqual([]);
  }
  for (const caller of ['executor', 'auth'] as const) {
    const call = clientOf(caller).authenticateMany({ tokens: [] }, deadline(30_000));
    await expect(call).rejects.toMatchObject({ code: Status.PERMISSION_DENIED });
    await expect(clientOf(caller).authenticate({ token: 'x' }, deadline(30_000))).rejects.toMatchObject({
      code: Status.PERMISSION_DENIED,
    });
  }
});

test('without the service credential nobody may ask: none, a wrong one, another’s, or a user’s token', async () => {
  const { accessToken } = await auth.member();
  const credential = credentialOf('jobs', TEST_SERVICE_SECRET);
  const refused: Record<string, string>[] = [
    {},
    { 'x-jobber-caller': 'jobs' },
    { 'x-jobber-credential': credential },
    { 'x-jobber-caller': 'jobs', 'x-jobber-credential': '' },
    { 'x-jobber-caller': 'jobs', 'x-jobber-credential': credentialOf('jobs', 'another secret') },
    { 'x-jobber-caller': 'products', 'x-jobber-credential': credential },
    { 'x-jobber-caller': 'jobs', 'x-jobber-credential': accessToken },
    { authorization: `Bearer ${accessToken}` },
    { 'x-jobber-caller': 'jobs', 'x-jobber-credential': TEST_SERVICE_SECRET },
  ];
  for (const metadata of refused) {
    await expect(rawCall(metadata)).rejects.toMatchObject({ code: Status.UNAUTHENTICATED });
  }
  await expect(
    rawCall({ 'x-jobber-caller': 'jobs', 'x-jobber-credential': credential }),
  ).resolves.toBeDefined();
});

test('a message over 8 MB is refused, and the service still serves', async () => {
  const call = jobs.authenticate({ token: 'x'.repeat(9 * 1_024 * 1_024) }, deadline(30_000));
  await expect(call).rejects.toMatchObject({ code: Status.RESOURCE_EXHAUSTED });
  expect((await jobs.authenticateMany({ tokens: ['x'] }, deadline(30_000))).results).toHaveLength(1);
});

test('a deadline of a millisecond and garbage on the port do no harm', async () => {
  await Promise.allSettled(
    Array.from({ length: 20 }, () => jobs.authenticate({ token: randomUUID() }, deadline(1))),
  );
  const garbage = await fetch(`http://${auth.grpcAddress}/`).catch(() => undefined);
  expect(garbage?.ok ?? false).toBe(false);
  expect((await jobs.authenticateMany({ tokens: ['x'] }, deadline(30_000))).results).toHaveLength(1);
});

test('the other daemons’ guard asks for many at once and understands the answers', async () => {
  const user = await auth.member();
  const authenticate = createRemoteAuthentication({ client: jobs, registry: createMetrics('test'), ...auth });
  const found = await Promise.all(
    Array.from({ length: 50 }, (_, index) => authenticate(index % 2 === 0 ? user.accessToken : 'bad')),
  );
  expect(found.filter((identity) => identity?.userId === user.id)).toHaveLength(25);
  expect(found.filter((identity) => identity === undefined)).toHaveLength(25);
});

test('while the database is away the answer is "unavailable", never "unauthenticated", and soon', async () => {
  let gate: DatabaseGate | undefined;
  const gated = await startTestAuth({}, async (url) => {
    gate = await startDatabaseGate(url);
    return gate.url;
  });
  afterAll(() => gate?.close());
  const user = await gated.member();
  const client = createGrpcClient(AuthServiceDefinition, {
    address: gated.grpcAddress,
    caller: 'products',
    serviceSecret: TEST_SERVICE_SECRET,
    tls: undefined,
    scope: gated.scope,
  });
  gate?.cut();
  const started = performance.now();
  const unavailable = { status: 'rejected', reason: { code: Status.UNAVAILABLE } };
  expect(
    await Promise.allSettled([
      client.authenticate({ token: user.accessToken }, deadline(30_000)),
      client.authenticateMany({ tokens: [user.accessToken] }, deadline(30_000)),
    ]),
  ).toMatchObject([unavailable, unavailable]);
  expect(performance.now() - started).toBeLessThan(SOON_MS);
  gate?.open();
  const { identity } = await client.authenticate({ token: user.accessToken }, deadline(30_000));
  expect(identity?.userId).toBe(user.id);
});
