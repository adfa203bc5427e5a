import type { Database } from '@jobber/db/connection';
import type { User } from './user.ts';

export interface NewAccount {
  /** Normalized. */
  readonly email: string;
  readonly passwordHash: string;
}

const USER = 'id, email, roles, created_at as "createdAt"';
const UNIQUE_VIOLATION = '23505';

/** Nobody → member. */
export async function insertMember(database: Database, account: NewAccount): Promise<User | 'email taken'> {
  const rows = await insert(
    database,
    `insert into user_account (email, password_hash, roles) values ($1, $2, '{member}') returning ${USER}`,
    account,
  );
  return rows?.[0] ?? 'email taken';
}

/**
 * Nobody → administrator, if the platform has never been set up and has no administrator. One statement: of two at once
 * one inserts the row of `platform_setup`, and when the email is taken that row is not there either.
 */
export async function insertFirstAdmin(
  database: Database,
  account: NewAccount,
): Promise<User | 'email taken' | 'set up already'> {
  const rows = await insert(
    database,
    `with setup as (
       insert into platform_setup (id)
       select true where not exists (select from user_account where 'admin' = any (roles))
       on conflict do nothing
       returning id
     )
     insert into user_account (email, password_hash, roles) select $1, $2, '{admin}' from setup returning ${USER}`,
    account,
  );
  return rows ? (rows[0] ?? 'set up already') : 'email taken';
}

/** The inserted rows; `undefined` when the email is taken. */
async function insert(
  { pool }: Database,
  text: string,
  { email, passwordHash }: NewAccount,
): Promise<User[] | undefined> {
  try {
    const { rows } = await pool.query<Omit<User, 'createdAt'> & { createdAt: string }>(text, [
      email,
      passwordHash,
    ]);
    // The ORM has told the driver to leave times as text.
    return rows.map((row) => ({ ...row, createdAt: new Date(row.createdAt) }));
  } catch (error) {
    if ((error as { code?: unknown }).code === UNIQUE_VIOLATION) return undefined;
    throw error;
  }
}
