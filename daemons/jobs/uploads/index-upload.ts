import type { RecordFormat } from '@jobber/shared/records';
import { createRecordIndexer, type RecordIndex } from '@jobber/shared/records';
import { openStorage, type StorageLocation } from './open-storage.ts';

export interface UploadToIndex {
  readonly storage: StorageLocation;
  readonly name: string;
  readonly format: RecordFormat;
}

/** Reads a stored upload once: checks the syntax of all records, counts them, and notes where they stand. */
export async function indexUpload({ storage, name, format }: UploadToIndex): Promise<RecordIndex> {
  const indexer = createRecordIndexer({ format });
  const objects = await openStorage(storage);
  for await (const chunk of objects.read(name)) {
    indexer.push(chunk);
    if (indexer.stopped) break;
  }
  return indexer.end();
}
