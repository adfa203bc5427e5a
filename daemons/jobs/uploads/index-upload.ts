import type { RecordFormat } from '@jobber/shared/records';
import { createRecordIndexer, type RecordIndex } from '@jobber/shared/records';
import { createLocalStorage } from './object-storage.ts';

export interface UploadToIndex {
  readonly folder: string;
  readonly name: string;
  readonly format: RecordFormat;
}

/** Reads a stored upload once: checks the syntax of all records, counts them, and notes where they stand. */
export async function indexUpload({ folder, name, format }: UploadToIndex): Promise<RecordIndex> {
  const indexer = createRecordIndexer({ format });
  for await (const chunk of createLocalStorage(folder).read(name)) {
    indexer.push(chunk);
    if (indexer.stopped) break;
  }
  return indexer.end();
}
