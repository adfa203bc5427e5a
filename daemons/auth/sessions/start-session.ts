import type { Database } from '@jobber/db/connection';

export interface NewSession {
  readonly userId: string;
  /** The hash that the password was checked against: if it has changed since, no session starts. */
  readonly passwordHash: string;
  readonly address: string;
  readonly refreshTokenHash: Buffer;
  readonly ttlDays: number;
}

/** Starts a session with its first refresh token. @returns its id; `undefined` when the account changed meanwhile. */
export async function startSession(
  { pool }: Database,
  { userId, passwordHash, address, refreshTokenHash, ttlDays }: NewSession,
): Promise<string | undefined> {
  const { rows } = await pool.query<{ id: string }>({
    name: 'start-session',
    text: `
      with started as (
        insert into session (user_id, address, expires_at)
        select id, $3, now() + make_interval(days => $5) from user_account
        where id = $1 and password_hash = $2 and deactivated_at is null
        returning id, expires_at
      ), issued as (
        insert into refresh_token (hash, session_id, expires_at) select $4, id, expires_at from started
      )
      select id from started`,
    values: [userId, passwordHash, address, refreshTokenHash, ttlDays],
  });
  return rows[0]?.id;
}
