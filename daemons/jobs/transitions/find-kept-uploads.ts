import type { Pool } from 'pg';

/** Which of the names are uploads whose file is still needed. Reads only. */
const FIND_KEPT_UPLOADS = 'select name from upload where name = any($1) and removed_at is null';

export async function findKeptUploads(pool: Pool, names: readonly string[]): Promise<Set<string>> {
  const { rows } = await pool.query<{ name: string }>(FIND_KEPT_UPLOADS, [names]);
  return new Set(rows.map(({ name }) => name));
}
