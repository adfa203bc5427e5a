import type { Logger } from '@jobber/shared/log';
import type { Pool } from 'pg';
import { expireUploads } from '../transitions/expire-uploads.ts';
import { findKeptUploads } from '../transitions/find-kept-uploads.ts';
import type { ObjectStorage } from '../uploads/object-storage.ts';

/** A file without a row may be about to get one; after this many milliseconds it belongs to nobody. */
export const ORPHAN_AGE_MS = 60 * 60 * 1_000;
/** Files that are asked about together. */
const BATCH = 500;

/**
 * Keeps the disk bounded: removes uploads whose time is over and that no unfinished job reads, then files that belong to
 * no kept upload, such as those that a crash left behind.
 */
export async function cleanUpUploads(parts: {
  pool: Pool;
  storage: ObjectStorage;
  retentionMs: number;
  orphanAgeMs?: number;
  log: Logger;
}): Promise<void> {
  const { pool, storage, retentionMs, orphanAgeMs = ORPHAN_AGE_MS, log } = parts;
  let expired = 0;
  for (let names = await expireUploads(pool, retentionMs); names.length > 0; ) {
    for (const name of names) await storage.remove(name);
    expired += names.length;
    names = await expireUploads(pool, retentionMs);
  }

  let orphans = 0;
  async function removeOrphans(names: readonly string[]): Promise<void> {
    const kept = await findKeptUploads(pool, names);
    for (const name of names) {
      if (kept.has(name)) continue;
      await storage.remove(name);
      orphans += 1;
    }
  }

  const finished: string[] = [];
  for await (const object of storage.untouchedFor(orphanAgeMs)) {
    if (!object.finished) {
      await storage.remove(object.name);
      orphans += 1;
      continue;
    }
    finished.push(object.name);
    if (finished.length >= BATCH) await removeOrphans(finished.splice(0));
  }
  await removeOrphans(finished);
  if (expired + orphans > 0) log.info({ expired, orphans }, 'uploads removed');
}
