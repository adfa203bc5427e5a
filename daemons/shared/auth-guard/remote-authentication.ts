import { setTimeout as sleep } from 'node:timers/promises';
import type { AuthenticateManyResponse, AuthServiceClient } from '@jobber/proto/auth/v1/auth';
import { createGroupCommit } from '@jobber/shared/group-commit';
import { AppErrorFromGrpc, deadline } from '@jobber/shared/grpc';
import type { Scope } from '@jobber/shared/lifecycle';
import type { Logger } from '@jobber/shared/log';
import { Counter, type Registry } from '@jobber/shared/telemetry';
import { ClientError, Status } from 'nice-grpc';
import type { Authenticate, Identity } from './guard-callers.ts';
import { createIdentityCache } from './identity-cache.ts';
import { watchRevocations } from './watch-revocations.ts';

/** Auth answers in a millisecond or so; after this many it counts as unavailable. */
const AUTHENTICATE_DEADLINE_MS = 3_000;
/**
 * A connection to an Auth that starts again, or that was not there yet when we started, stands half a second after Auth does, and
 * calls fail at once until then. Nobody need hear of that.
 */
const RECONNECT_MS = 1_000;
const RETRY_MS = 100;
const MAX_TOKENS = 1_000;
/** A JWT of ours has some 600 characters. */
const MAX_TOKEN_LENGTH = 4_096;

/**
 * Asks Auth over gRPC; tokens of requests that arrive together travel together. Identities are kept until Auth takes them
 * back: a logout holds at once. That a token is not valid is never kept, so whoever tries many takes no room.
 */
export function createRemoteAuthentication(options: {
  client: Pick<AuthServiceClient, 'authenticateMany' | 'watchRevocations'>;
  registry: Registry;
  scope: Scope;
  log: Logger;
}): Authenticate {
  const { client, registry } = options;
  const cache = createIdentityCache();
  watchRevocations({ ...options, cache });
  const lookups = new Counter({
    name: 'jobber_identity_lookups_total',
    help: 'Tokens of requests: kept, their identity was known; asked, Auth was asked',
    labelNames: ['outcome'],
    registers: [registry],
  });

  const batches = createGroupCommit<string, Identity | undefined>({
    maxBatch: MAX_TOKENS,
    concurrency: 4,
    async run(tokens) {
      const mark = cache.mark();
      try {
        const { results } = await ask(tokens);
        for (const [index, { identity }] of results.entries()) {
          if (identity) cache.keep(tokens[index] as string, identity, mark);
        }
        return results.map(({ identity }) => identity);
      } catch (error) {
        throw new AppErrorFromGrpc('Auth', error);
      }
    },
  });

  async function ask(tokens: readonly string[]): Promise<AuthenticateManyResponse> {
    const askedAt = performance.now();
    for (let tries = 1; ; tries += 1) {
      try {
        return await client.authenticateMany({ tokens: [...tokens] }, deadline(AUTHENTICATE_DEADLINE_MS));
      } catch (error) {
        const away = error instanceof ClientError && error.code === Status.UNAVAILABLE;
        if (!away || tries * RETRY_MS >= RECONNECT_MS || performance.now() - askedAt > RECONNECT_MS)
          throw error;
        await sleep(RETRY_MS);
      }
    }
  }

  return async function authenticate(token) {
    if (token.length > MAX_TOKEN_LENGTH) return undefined;
    const kept = cache.find(token);
    lookups.inc({ outcome: kept ? 'kept' : 'asked' });
    return kept ?? (await batches.submit(token));
  };
}
