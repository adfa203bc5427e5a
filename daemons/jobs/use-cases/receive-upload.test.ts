import { createLogger } from '@jobber/shared/log';
import { expect, test } from 'vitest';
import { StorageUnavailableError } from '../uploads/object-storage.ts';
import { receiveUpload, type UploadParts } from './receive-upload.ts';

const LIMITS = { maxBytes: 1_000, quotaBytes: 1_000 };

/** Sends a file whose reading fails so. @returns the names of the objects that were removed */
async function removedAfter(failure: Error): Promise<string[]> {
  const removed: string[] = [];
  const parts = {
    storage: {
      async write(_name: string, source: AsyncIterable<Uint8Array>) {
        for await (const _ of source);
      },
      remove: async (name: string) => void removed.push(name),
    },
    reader: { index: () => Promise.reject(failure) },
    limits: LIMITS,
    log: createLogger({ daemon: 'jobs', level: 'silent' }),
  } as unknown as UploadParts;
  async function* bytes() {
    yield Buffer.from('[{"text":"a"}]');
  }
  const received = receiveUpload(
    parts,
    { userId: 'a user' } as never,
    { fileName: 'a.json', bytes: bytes() },
    LIMITS.maxBytes,
  );
  await expect(received).rejects.toThrow(failure);
  return removed;
}

test('a file that could not be checked is removed', async () => {
  expect(await removedAfter(new Error('The thread has ended'))).toHaveLength(1);
});

test('a storage that does not serve is not asked once more before the sender is told', async () => {
  expect(await removedAfter(new StorageUnavailableError('SlowDown'))).toEqual([]);
});
