import { Upload } from '@jobber/db/jobs';
import type { MikroORM } from '@mikro-orm/postgresql';

export type NewUpload = Omit<Upload, 'removedAt' | 'checkedFor'>;

/**
 * Stores an upload's row unless its owner's files would then hold more than `quotaBytes` together. Uploads of one owner
 * that end at the same time take turns.
 * @returns false when the quota does not allow it; nothing was changed then.
 */
export async function storeUpload(orm: MikroORM, upload: NewUpload, quotaBytes: number): Promise<boolean> {
  return orm.em.fork().transactional(async (em) => {
    await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`upload:${upload.ownerId}`]);
    const used = await usedBytes(em, upload.ownerId);
    if (used + upload.size > quotaBytes) return false;
    await em.insert(Upload, { ...upload, checkedFor: [], removedAt: null });
    return true;
  });
}

/** Bytes of all files of an owner. */
export async function usedBytes(em: MikroORM['em'], ownerId: string): Promise<number> {
  const [row] = await em.execute<{ used: string }[]>(
    'select coalesce(sum(size), 0) as used from upload where owner_id = ? and removed_at is null',
    [ownerId],
  );
  return Number(row?.used);
}
