import type { Database } from '@jobber/db/connection';

export interface Rotation {
  /** The token that is used up. */
  readonly usedHash: Buffer;
  /** The token that replaces it. */
  readonly newHash: Buffer;
  readonly ttlDays: number;
}

export interface RotatedSession {
  readonly sessionId: string;
  readonly userId: string;
  readonly email: string;
}

/**
 * unused → used, if the session lives: of any number of uses at once exactly one finds the token unused.
 * `undefined` when it was not to be had: unknown, used, expired, or its session ended.
 */
export async function rotateRefreshToken(
  { pool }: Database,
  { usedHash, newHash, ttlDays }: Rotation,
): Promise<RotatedSession | undefined> {
  const { rows } = await pool.query<RotatedSession>({
    name: 'rotate-refresh-token',
    text: `
      with used as (
        update refresh_token set used_at = clock_timestamp()
        from session join user_account on user_account.id = session.user_id
        where refresh_token.hash = $1 and refresh_token.used_at is null and refresh_token.expires_at > now()
          and session.id = refresh_token.session_id and session.ended_at is null
          and user_account.deactivated_at is null
        returning session.id as session_id, user_account.id as user_id, user_account.email
      ), issued as (
        insert into refresh_token (hash, session_id, expires_at)
        select $2, session_id, now() + make_interval(days => $3) from used
      ), extended as (
        update session set expires_at = now() + make_interval(days => $3)
        from used where session.id = used.session_id and session.ended_at is null
      )
      select session_id as "sessionId", user_id as "userId", email from used`,
    values: [usedHash, newHash, ttlDays],
  });
  return rows[0];
}
