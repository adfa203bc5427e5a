import type { Database } from '@jobber/db/connection';
import { type Identity, permissionsOf } from '@jobber/shared/auth-guard';
import type { VerifyAccessToken } from '../access-tokens/verify-access-token.ts';
import { findLivingSessions } from '../sessions/find-living-sessions.ts';

export interface AuthenticatedIdentity extends Identity {
  readonly expiresAtMs: number;
}

/** Whose tokens are these? In the order of the tokens; `undefined` where it is nobody's (any more). */
export type AuthenticateTokens = (
  tokens: readonly string[],
) => Promise<(AuthenticatedIdentity | undefined)[]>;

/**
 * Checks each token by itself, then all their sessions in one query: a logout, a deactivation or a changed role holds
 * with the next request.
 * @throws AppError 503 UNAVAILABLE
 */
export function buildAuthenticateTokens(parts: {
  database: Database;
  verifyAccessToken: VerifyAccessToken;
}): AuthenticateTokens {
  const { database, verifyAccessToken } = parts;

  return async function authenticateTokens(tokens) {
    const claims = await Promise.all(tokens.map(verifyAccessToken));
    const sessionIds = new Set(claims.flatMap((claim) => (claim ? [claim.sessionId] : [])));
    if (sessionIds.size === 0) return tokens.map(() => undefined);
    const living = await findLivingSessions(database, [...sessionIds]);
    const bySession = new Map(living.map((session) => [session.sessionId, session]));
    return claims.map((claim) => {
      const session = claim && bySession.get(claim.sessionId);
      if (!session || session.userId !== claim.userId) return undefined;
      const permissions = permissionsOf(session.roles);
      return { ...session, permissions, expiresAtMs: claim.expiresAtMs };
    });
  };
}
