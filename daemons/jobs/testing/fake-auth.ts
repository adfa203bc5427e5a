import { randomUUID } from 'node:crypto';
import { findFreePort } from '@jobber/compose/free-port';
import { AuthServiceDefinition, type WatchRevocationsRequest } from '@jobber/proto/auth/v1/auth';
import { type Identity, permissionsOf, type Role } from '@jobber/shared/auth-guard';
import { createFakeRevocations } from '@jobber/shared/auth-guard/testing';
import { serveGrpc } from '@jobber/shared/grpc';
import { createScope, type Scope } from '@jobber/shared/lifecycle';
import type { Logger } from '@jobber/shared/log';

export const SERVICE_SECRET = '5c1f0b7e9a4d4c2e8f3a6b1d7e9c0a42';

const TOKEN_LIFE_MS = 900_000;

export interface TestUser {
  readonly id: string;
  readonly token: string;
}

/** Auth's gRPC service, for tests: it knows the users that the test has made. */
export interface FakeAuth {
  readonly address: string;
  /** Someone of this role, logged in. */
  user(role?: Role): TestUser;
  /** Resolves when nobody keeps the identity any more, as a logout is answered. */
  logOut(user: TestUser): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** It takes requests and does not answer any more. */
  fallSilent(): void;
}

export async function startFakeAuth(log: Logger): Promise<FakeAuth> {
  const identities = new Map<string, Identity>();
  const revocations = createFakeRevocations();
  let scope: Scope = createScope(log);
  // It comes back there after `stop`: until then nobody must get it.
  const port = await findFreePort();
  let silent = false;

  function find(token: string) {
    const identity = identities.get(token);
    return {
      identity: identity && {
        ...identity,
        expiresAtMs: Date.now() + TOKEN_LIFE_MS,
        roles: [...identity.roles],
        permissions: [...identity.permissions],
      },
    };
  }

  async function start(): Promise<void> {
    scope = createScope(log);
    await serveGrpc({
      host: '127.0.0.1',
      port,
      serviceSecret: SERVICE_SECRET,
      tls: undefined,
      services: [
        {
          definition: AuthServiceDefinition,
          implementation: {
            authenticate: async ({ token }: { token: string }) => find(token),
            async authenticateMany({ tokens }: { tokens: readonly string[] }) {
              if (silent) await new Promise(() => {});
              return { results: tokens.map(find) };
            },
            watchRevocations: (requests: AsyncIterable<WatchRevocationsRequest>) =>
              revocations.watchRevocations(requests),
          },
          callers: { Authenticate: ['jobs'], AuthenticateMany: ['jobs'], WatchRevocations: ['jobs'] },
        },
      ],
      scope,
      log,
    });
    scope.defer('streams of revocations', () => revocations.endStreams());
  }

  await start();
  return {
    address: `127.0.0.1:${port}`,
    user(role = 'member') {
      const id = randomUUID();
      const token = `${role}-${id}`;
      const roles = [role];
      const email = `${id}@example.com`;
      identities.set(token, { userId: id, email, roles, permissions: permissionsOf(roles), sessionId: id });
      return { id, token };
    },
    async logOut({ id, token }) {
      identities.delete(token);
      await revocations.revoke(id);
    },
    start,
    stop: () => scope.release(),
    fallSilent() {
      silent = true;
      revocations.endStreams();
    },
  };
}
