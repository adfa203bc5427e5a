import type { Database } from '@jobber/db/connection';

export interface Credentials {
  readonly userId: string;
  readonly passwordHash: string;
  /** Whether this user has logged in from the address within the life of a refresh token. */
  readonly addressIsKnown: boolean;
}

/** What a login is checked against; `undefined` for an unknown email and a deactivated user. */
export async function findCredentials(
  { pool }: Database,
  { email, address }: { email: string; address: string },
): Promise<Credentials | undefined> {
  const { rows } = await pool.query<Credentials>({
    name: 'find-credentials',
    text: `
      select id as "userId", password_hash as "passwordHash",
        exists (select from session where session.user_id = user_account.id and session.address = $2)
          as "addressIsKnown"
      from user_account where email = $1 and deactivated_at is null`,
    values: [email, address],
  });
  return rows[0];
}
