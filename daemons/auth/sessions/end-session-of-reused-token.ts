import type { Database } from '@jobber/db/connection';

/** A session, by its id, and whose it is. */
export interface SessionOfReusedToken {
  readonly sessionId: string;
  readonly userId: string;
}

/**
 * living → ended, if this refresh token of its has been used before: somebody else has a copy, so the whole family goes.
 * @returns the session that this call has ended
 */
export async function endSessionOfReusedToken(
  { pool }: Database,
  refreshTokenHash: Buffer,
): Promise<SessionOfReusedToken | undefined> {
  const { rows } = await pool.query<SessionOfReusedToken>({
    name: 'end-session-of-reused-token',
    text: `
      update session set ended_at = now(), ended_because = 'refresh token reused'
      from refresh_token
      where refresh_token.hash = $1 and refresh_token.used_at is not null
        and session.id = refresh_token.session_id and session.ended_at is null
      returning session.id as "sessionId", session.user_id as "userId"`,
    values: [refreshTokenHash],
  });
  return rows[0];
}

/** The session of this refresh token if it has ended in the last five seconds, by whichever call. */
export async function findSessionJustEnded(
  { pool }: Database,
  refreshTokenHash: Buffer,
): Promise<SessionOfReusedToken | undefined> {
  const { rows } = await pool.query<SessionOfReusedToken>({
    name: 'find-session-just-ended',
    text: `
      select session.id as "sessionId", session.user_id as "userId"
      from refresh_token join session on session.id = refresh_token.session_id
      where refresh_token.hash = $1 and session.ended_at > now() - interval '5 s'`,
    values: [refreshTokenHash],
  });
  return rows[0];
}
