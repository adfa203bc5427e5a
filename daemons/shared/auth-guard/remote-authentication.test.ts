import { findFreePort } from '@jobber/compose/free-port';
import {
  type AuthenticateManyRequest,
  AuthServiceDefinition,
  type WatchRevocationsRequest,
} from '@jobber/proto/auth/v1/auth';
import { createGrpcClient, serveGrpc } from '@jobber/shared/grpc';
import { createScope } from '@jobber/shared/lifecycle';
import { createLogger } from '@jobber/shared/log';
import { createMetrics } from '@jobber/shared/telemetry';
import { ClientError, Status } from 'nice-grpc';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { createRemoteAuthentication } from './remote-authentication.ts';
import { createFakeRevocations } from './testing/index.ts';

const SECRET = '5c1f0b7e9a4d4c2e8f3a6b1d7e9c0a42';
const log = createLogger({ daemon: 'test', level: 'silent' });

// What Auth has confirmed holds for 900 ms of this clock: here a busy machine does not outlast it.
beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

/** An Auth that the test controls: tokens are valid when they begin with `good`, and name their session. */
async function startGuardedBy() {
  const revocations = createFakeRevocations();
  const ended = new Set<string>();
  const asked: string[] = [];
  let hold: Promise<void> | undefined;
  let scope = createScope(log);
  // It comes back there after `stop`: until then nobody must get it.
  const port = await findFreePort();
  async function start(): Promise<void> {
    scope = createScope(log);
    await serveGrpc({
      host: '127.0.0.1',
      port,
      serviceSecret: SECRET,
      tls: undefined,
      services: [
        {
          definition: AuthServiceDefinition,
          implementation: {
            authenticate: () => Promise.reject(new Error('not used')),
            async authenticateMany({ tokens }: AuthenticateManyRequest) {
              asked.push(...tokens);
              const results = tokens.map(identify);
              await hold;
              return { results };
            },
            watchRevocations: (requests: AsyncIterable<WatchRevocationsRequest>) =>
              revocations.watchRevocations(requests),
          },
          callers: { AuthenticateMany: ['jobs'], WatchRevocations: ['jobs'] },
        },
      ],
      scope,
      log,
    });
    scope.defer('streams of revocations', () => revocations.endStreams());
  }
  function identify(token: string) {
    if (!token.startsWith('good') || ended.has(token)) return {};
    const expiresAtMs = Date.now() + 60_000;
    return {
      identity: { userId: 'u', email: 'e', roles: [], permissions: [], sessionId: token, expiresAtMs },
    };
  }
  await start();
  const guardScope = createScope(log);
  onTestFinished(async () => {
    await guardScope.release();
    await scope.release();
  });
  const client = createGrpcClient(AuthServiceDefinition, {
    address: `127.0.0.1:${port}`,
    caller: 'jobs',
    serviceSecret: SECRET,
    tls: undefined,
    scope: guardScope,
  });
  const registry = createMetrics('test');
  const authenticate = createRemoteAuthentication({ client, registry, scope: guardScope, log });
  /** Until a second question about the same token is answered by ourselves. */
  async function untilKeeping(): Promise<void> {
    await expect
      .poll(
        async () => {
          await authenticate('good probe');
          const before = asked.length;
          await authenticate('good probe');
          return asked.length - before;
        },
        { timeout: 30_000 },
      )
      .toBe(0);
  }
  await untilKeeping();
  return {
    authenticate,
    asked,
    registry,
    untilKeeping,
    start,
    stop: () => scope.release(),
    async revoke(token: string) {
      ended.add(token);
      await revocations.revoke(token);
    },
    holdAnswers() {
      let release: () => void = () => {};
      hold = new Promise((resolve) => {
        release = resolve;
      });
      return () => {
        hold = undefined;
        release();
      };
    },
  };
}

test('Auth is asked about a token once, and what came of it is counted', async () => {
  const auth = await startGuardedBy();
  for (let i = 0; i < 20; i += 1) expect((await auth.authenticate('good 1'))?.sessionId).toBe('good 1');
  expect(auth.asked.filter((token) => token === 'good 1')).toHaveLength(1);
  expect(await auth.registry.metrics()).toMatch(/jobber_identity_lookups_total\{outcome="kept"[^}]*\} \d+/);
});

test('after a revocation was acknowledged the token is refused at once', async () => {
  const auth = await startGuardedBy();
  expect(await auth.authenticate('good 1')).toBeDefined();
  await auth.revoke('good 1');
  expect(await auth.authenticate('good 1')).toBeUndefined();
});

test('an answer that a revocation has overtaken is not kept', async () => {
  const auth = await startGuardedBy();
  const release = auth.holdAnswers();
  const overtaken = auth.authenticate('good 1');
  await expect.poll(() => auth.asked).toContain('good 1');
  await auth.revoke('good 1');
  release();
  // Whoever asked before the revocation may get the answer of before; nobody later does.
  expect(await overtaken).toBeDefined();
  expect(await auth.authenticate('good 1')).toBeUndefined();
});

test('tokens that are not valid are asked about each time, and drive out nobody', async () => {
  const auth = await startGuardedBy();
  await auth.authenticate('good 1');
  await Promise.all(Array.from({ length: 20_000 }, (_, i) => auth.authenticate(`bad ${i}`)));
  const before = auth.asked.length;
  expect(await auth.authenticate('good 1')).toBeDefined();
  expect(auth.asked.length).toBe(before);
  expect(await auth.authenticate('bad 1')).toBeUndefined();
  expect(auth.asked.length).toBe(before + 1);
});

test('without a stream nothing is kept: while Auth is away that is "unavailable", and afterwards it is asked anew', async () => {
  const auth = await startGuardedBy();
  await auth.authenticate('good 1');
  await auth.stop();
  await expect.poll(() => auth.authenticate('good 1').catch((error) => error.reason)).toBe('UNAVAILABLE');
  await auth.start();
  const before = auth.asked.length;
  await expect.poll(() => auth.authenticate('good 1').catch(() => undefined)).toBeDefined();
  expect(auth.asked.length).toBeGreaterThan(before);
  await auth.untilKeeping();
});

/** @returns how it went when Auth could not be reached the first `times` times */
async function authenticateAfter(times: number, code: Status): Promise<{ asked: number; answer: unknown }> {
  const scope = createScope(log);
  onTestFinished(() => scope.release());
  let asked = 0;
  const expiresAtMs = Date.now() + 60_000;
  const identity = { userId: 'u', email: 'e', roles: [], permissions: [], sessionId: 's', expiresAtMs };
  const authenticate = createRemoteAuthentication({
    client: {
      async authenticateMany() {
        asked += 1;
        if (asked <= times) throw new ClientError('/AuthenticateMany', code, 'no connection established');
        return { results: [{ identity }] };
      },
      async *watchRevocations() {},
    },
    registry: createMetrics('test'),
    scope,
    log,
  });
  const answer = await authenticate('good 1').catch((error: unknown) => error);
  return { asked, answer };
}

test('a connection to Auth that is just being made is waited for', async () => {
  const { asked, answer } = await authenticateAfter(3, Status.UNAVAILABLE);
  expect(answer).toMatchObject({ userId: 'u' });
  expect(asked).toBe(4);
});

test('an Auth that stays away is told of after ten tries, and what it refuses is not asked again', async () => {
  const gone = await authenticateAfter(1_000, Status.UNAVAILABLE);
  expect(gone).toMatchObject({ asked: 10, answer: { reason: 'UNAVAILABLE' } });
  const refused = await authenticateAfter(1_000, Status.PERMISSION_DENIED);
  expect(refused).toMatchObject({ asked: 1, answer: { reason: 'FORBIDDEN' } });
});
