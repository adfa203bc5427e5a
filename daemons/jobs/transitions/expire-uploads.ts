import type { Pool } from 'pg';
import { inTransaction } from '../in-transaction.ts';

/** Uploads of one round at most. */
const BATCH = 100;

const LOCK_OLD_UPLOADS = `
  select name from upload
  where uploaded_at < now() - $1 * interval '1 ms' and removed_at is null
    and not exists (select from job where upload_name = upload.name and ended_at is null)
  order by uploaded_at
  limit ${BATCH}
  for update skip locked`;

/** A second look, with the locks held: a job may have been accepted between the first look and the lock. */
const EXPIRE_UPLOADS = `
  update upload set removed_at = now(), slices = '[]', csv_header = '[]'
  where name = any($1) and removed_at is null
    and not exists (select from job where upload_name = upload.name and ended_at is null)
  returning name`;

const FORGET_UPLOADS = `
  delete from upload
  where removed_at is not null and name = any($1) and not exists (select from job where upload_name = upload.name)`;

/**
 * kept → removed, for uploads that are older than `retentionMs` and that no unfinished job reads. What a job refers to
 * stays as a row without its file; what no job ever used is forgotten. The files are then the caller's to delete.
 * @returns the names of the uploads that no job can use any more.
 */
export async function expireUploads(pool: Pool, retentionMs: number): Promise<string[]> {
  return await inTransaction(pool, async (client) => {
    const locked = await client.query<{ name: string }>(LOCK_OLD_UPLOADS, [retentionMs]);
    const expired = await client.query<{ name: string }>(EXPIRE_UPLOADS, [
      locked.rows.map(({ name }) => name),
    ]);
    const names = expired.rows.map(({ name }) => name);
    await client.query(FORGET_UPLOADS, [names]);
    return names;
  });
}
