import type { AuthServiceClient } from '@jobber/proto/auth/v1/auth';
import { createGroupCommit } from '@jobber/shared/group-commit';
import { AppErrorFromGrpc, deadline } from '@jobber/shared/grpc';
import type { Authenticate, Identity } from './guard-callers.ts';

/** Auth answers in a millisecond or so; after this many it counts as unavailable. */
const AUTHENTICATE_DEADLINE_MS = 3_000;
const MAX_TOKENS = 1_000;
/** A JWT of ours has some 600 characters. */
const MAX_TOKEN_LENGTH = 4_096;

/** Asks Auth over gRPC; tokens of requests that arrive together travel together. Nothing is cached: a logout holds at once. */
export function createRemoteAuthentication(
  client: Pick<AuthServiceClient, 'authenticateMany'>,
): Authenticate {
  const batches = createGroupCommit<string, Identity | undefined>({
    maxBatch: MAX_TOKENS,
    concurrency: 4,
    async run(tokens) {
      try {
        const { results } = await client.authenticateMany(
          { tokens: [...tokens] },
          deadline(AUTHENTICATE_DEADLINE_MS),
        );
        return results.map(({ identity }) => identity);
      } catch (error) {
        throw new AppErrorFromGrpc('Auth', error);
      }
    },
  });
  return async (token) => (token.length > MAX_TOKEN_LENGTH ? undefined : batches.submit(token));
}
