import type { Database } from '@jobber/db/connection';

/**
 * living → ended, if this refresh token of its has been used before: somebody else has a copy, so the whole family goes.
 * @returns the session that this call has ended
 */
export async function endSessionOfReusedToken(
  { pool }: Database,
  refreshTokenHash: Buffer,
): Promise<{ sessionId: string; userId: string } | undefined> {
  const { rows } = await pool.query<{ sessionId: string; userId: string }>({
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
