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
  /** Ends it between two files; the next clean-up goes on. */
  signal: AbortSignal;
  log: Logger;
}): Promise<void> {
  const { pool, storage, retentionMs, orphanAgeMs = ORPHAN_AGE_MS, signal, log } = parts;

  async function* expired(): AsyncGenerator<string> {
    for (let names: string[] = []; ; ) {
      names = await expireUploads(pool, retentionMs);
      if (names.length === 0) return;
      yield* names;
    }
  }

  async function* orphans(): AsyncGenerator<string> {
    const finished: string[] = [];
    for await (const object of storage.untouchedFor(orphanAgeMs)) {
      if (!object.finished) yield object.name;
      else finished.push(object.name);
      if (finished.length >= BATCH) yield* withoutKept(finished.splice(0));
    }
    yield* withoutKept(finished);
  }

  async function* withoutKept(names: readonly string[]): AsyncGenerator<string> {
    const kept = await findKeptUploads(pool, names);
    for (const name of names) if (!kept.has(name)) yield name;
  }

  async function removeAll(names: AsyncIterable<string>): Promise<number> {
    let removed = 0;
    for await (const name of names) {
      if (signal.aborted) break;
      await storage.remove(name);
      removed += 1;
    }
    return removed;
  }

  const removed = { expired: await removeAll(expired()), orphans: await removeAll(orphans()) };
  if (removed.expired + removed.orphans > 0) log.info(removed, 'uploads removed');
}
