import {
  AuthServiceDefinition,
  type AuthServiceImplementation,
  type WatchRevocationsRequest,
} from '@jobber/proto/auth/v1/auth';
import { AppError, refuse } from '@jobber/shared/errors';
import type { ServedService } from '@jobber/shared/grpc';
import type { Revocations } from '../revocations/revocations.ts';
import type { AuthenticatedIdentity } from '../use-cases/authenticate-tokens.ts';

const MAX_TOKENS = 1_000;

type Found = AuthenticatedIdentity | undefined;

export interface GrpcParts {
  readonly authenticate: (token: string) => Promise<Found>;
  readonly authenticateMany: (tokens: readonly string[]) => Promise<readonly Found[]>;
  readonly watchRevocations: Revocations['watch'];
}

/** What the daemons with an edge towards users may ask; the executor has none. */
const CALLERS = ['jobs', 'products'] as const;

export function authGrpcService(parts: GrpcParts): ServedService {
  const { authenticate, authenticateMany, watchRevocations } = parts;
  const implementation: AuthServiceImplementation = {
    async authenticate({ token }) {
      const found = await authenticate(token);
      if (!found) throw new AppError('UNAUTHENTICATED', 'Unauthorized');
      return { identity: toMessage(found) };
    },

    async authenticateMany({ tokens }) {
      if (tokens.length > MAX_TOKENS) {
        refuse('INVALID_INPUT', `At most ${MAX_TOKENS} tokens at once; got ${tokens.length}`);
      }
      const results = await authenticateMany(tokens);
      return { results: results.map((found) => ({ identity: found && toMessage(found) })) };
    },

    watchRevocations: (requests, { signal }) => watchRevocations(acknowledgements(requests), signal),
  };
  return {
    definition: AuthServiceDefinition,
    implementation,
    callers: { Authenticate: CALLERS, AuthenticateMany: CALLERS, WatchRevocations: CALLERS },
  };
}

async function* acknowledgements(requests: AsyncIterable<WatchRevocationsRequest>) {
  for await (const { acknowledged } of requests) yield acknowledged;
}

function toMessage({ roles, permissions, ...rest }: AuthenticatedIdentity) {
  return { ...rest, roles: [...roles], permissions: [...permissions] };
}
