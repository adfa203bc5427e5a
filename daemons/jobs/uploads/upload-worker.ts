import type { RecordIndex } from '@jobber/shared/records';
import { checkUpload, type UploadCheck, type UploadToCheck } from './check-upload.ts';
import { indexUpload, type UploadToIndex } from './index-upload.ts';
import { StorageUnavailableError } from './object-storage.ts';

/** What reading came to, as a value: an error loses its class on its way out of a worker thread. */
export type Reading<T> = { readonly value: T } | { readonly unavailable: string };

export const tryToIndex = (upload: UploadToIndex): Promise<Reading<RecordIndex>> =>
  asValue(indexUpload(upload));

export const tryToCheck = (upload: UploadToCheck): Promise<Reading<UploadCheck>> =>
  asValue(checkUpload(upload));

async function asValue<T>(reading: Promise<T>): Promise<Reading<T>> {
  try {
    return { value: await reading };
  } catch (error) {
    if (error instanceof StorageUnavailableError) return { unavailable: error.code };
    throw error;
  }
}
