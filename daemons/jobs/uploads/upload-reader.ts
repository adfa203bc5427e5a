import type { Scope } from '@jobber/shared/lifecycle';
import type { RecordIndex } from '@jobber/shared/records';
import { Piscina } from 'piscina';
import { checkUpload, type UploadCheck, type UploadToCheck } from './check-upload.ts';
import { indexUpload, type UploadToIndex } from './index-upload.ts';
import { StorageUnavailableError } from './object-storage.ts';
import type { Reading } from './upload-worker.ts';

/**
 * Reads uploads: small ones here, larger ones in a worker thread, so that requests are not kept waiting.
 * Both reject with a StorageUnavailableError when the storage does not serve.
 */
export interface UploadReader {
  index(upload: UploadToIndex, bytes: number): Promise<RecordIndex>;
  check(upload: UploadToCheck, bytes: number): Promise<UploadCheck>;
}

/** Reading this many bytes takes some milliseconds; starting a thread takes longer. */
const INLINE_BYTES = 256 * 1024;

/** Reading holds one record and an index of some thousand slices; a young generation that may grow would. In MB. */
const THREAD_MEMORY = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 128 };

export function createUploadReader(scope: Scope): UploadReader {
  let threads: Piscina | undefined;

  function pool(): Piscina {
    threads ??= new Piscina({
      filename: import.meta.resolve('@jobber/jobs/upload-worker'),
      minThreads: 0,
      maxThreads: 2,
      idleTimeout: 5_000,
      resourceLimits: THREAD_MEMORY,
    });
    return threads;
  }

  scope.defer('upload reader', () => threads?.destroy());
  return {
    index: (upload, bytes) =>
      bytes <= INLINE_BYTES ? indexUpload(upload) : valueRead(pool().run(upload, { name: 'tryToIndex' })),
    check: (upload, bytes) =>
      bytes <= INLINE_BYTES ? checkUpload(upload) : valueRead(pool().run(upload, { name: 'tryToCheck' })),
  };
}

async function valueRead<T>(reading: Promise<Reading<T>>): Promise<T> {
  const read = await reading;
  if ('unavailable' in read) throw new StorageUnavailableError(read.unavailable);
  return read.value;
}
