import type { Database } from '@jobber/db/connection';
import { refuse } from '@jobber/shared/errors';
import type { Logger } from '@jobber/shared/log';
import type { SignAccessToken } from '../access-tokens/sign-access-token.ts';
import { createRefreshToken, hashRefreshToken } from '../refresh-tokens/refresh-token.ts';
import { rotateRefreshToken } from '../refresh-tokens/rotate-refresh-token.ts';
import type { Revocations } from '../revocations/revocations.ts';
import { endSessionOfReusedToken, findSessionJustEnded } from '../sessions/end-session-of-reused-token.ts';
import type { IssuedSession } from '../sessions/issued-session.ts';

export type RefreshSession = (refreshToken: string) => Promise<IssuedSession>;

/**
 * Exchanges a refresh token for new tokens. It works once; a later use shows that two hold it, a client and a thief, and
 * ends the session of both (RFC 9700, 4.14.2).
 *
 * There is no time of grace after the first use: it would serve a thief as well, so a client whose reply was lost has to
 * log in again. But a client's own requests may overlap: one that arrives while the token is being exchanged here is
 * refused without ending the session. (Overlapping at two replicas counts as reuse.)
 * @throws AppError TOKEN_INVALID, UNAVAILABLE
 */
export function buildRefreshSession(parts: {
  database: Database;
  signAccessToken: SignAccessToken;
  refreshTokenTtlDays: number;
  untilForgotten: Revocations['untilForgotten'];
  log: Logger;
}): RefreshSession {
  const { database, signAccessToken, refreshTokenTtlDays, untilForgotten, log } = parts;
  const underWay = new Map<string, Promise<IssuedSession>>();

  return async function refreshSession(refreshToken) {
    const usedHash = hashRefreshToken(refreshToken);
    const key = usedHash.toString('base64');
    const other = underWay.get(key);
    if (other !== undefined) {
      // If the other one fails, so does this one, and with the same reason.
      await other;
      refuse('TOKEN_INVALID', 'The refresh token has just been exchanged by another request; use its tokens');
    }
    const exchange = exchangeToken(usedHash);
    underWay.set(key, exchange);
    try {
      return await exchange;
    } finally {
      underWay.delete(key);
    }
  };

  async function exchangeToken(usedHash: Buffer): Promise<IssuedSession> {
    const next = createRefreshToken();
    const rotated = await rotateRefreshToken(database, {
      usedHash,
      newHash: next.hash,
      ttlDays: refreshTokenTtlDays,
    });
    if (!rotated) return await refuseToken(usedHash);
    const { sessionId, userId, email } = rotated;
    const { token, expiresAt } = await signAccessToken({ userId, sessionId });
    log.debug({ userId, sessionId }, 'session refreshed');
    return { userId, email, accessToken: token, refreshToken: next.token, expiresAt };
  }

  async function refuseToken(usedHash: Buffer): Promise<never> {
    const ended = await endSessionOfReusedToken(database, usedHash);
    if (ended) log.warn(ended, 'a refresh token was used twice; its session is ended');
    // Whoever is refused may rely on it: no daemon accepts a token of that session any more.
    const gone = ended ?? (await findSessionJustEnded(database, usedHash));
    if (gone) await untilForgotten(gone.sessionId);
    return refuse('TOKEN_INVALID', 'The refresh token is not valid; log in again');
  }
}
