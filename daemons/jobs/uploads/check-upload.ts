import { coerceCsv, DamagedSliceError, readSlice } from '@jobber/shared/records';
import { type CheckItem, compileItemCheck, type ItemProblem, MAX_PROBLEMS } from '../catalog/check-items.ts';
import type { UploadToIndex } from './index-upload.ts';
import { isObjectMissing } from './object-storage.ts';
import { openStorage } from './open-storage.ts';

export interface UploadToCheck extends UploadToIndex {
  readonly csvHeader: readonly string[];
  /** First byte and line of the records, and the byte after them. */
  readonly from: number;
  readonly to: number;
  readonly line: number;
  readonly schema: Readonly<Record<string, unknown>>;
}

export interface UploadCheck {
  /** False: the file is gone, or is not what it was when it was received. */
  readonly readable: boolean;
  /** The first problems. */
  readonly problems: readonly ItemProblem[];
  /** How many there are in all. */
  readonly total: number;
}

/** Checks every record of an upload against the schema of a job type, one at a time. */
export async function checkUpload(upload: UploadToCheck): Promise<UploadCheck> {
  const checkRecord = createRecordCheck(upload);
  const { from, to, line, format, csvHeader } = upload;
  const problems: ItemProblem[] = [];
  let total = 0;
  try {
    const storage = await openStorage(upload.storage);
    const bytes = storage.read(upload.name, { from, to });
    for await (const record of readSlice({ format, csvHeader, firstIndex: 0, line }, bytes)) {
      total += checkRecord(record.value, { index: record.index, line: record.line }, problems);
    }
    return { readable: true, problems, total };
  } catch (error) {
    // Told as a value: an error loses its class on its way out of a worker thread.
    if (error instanceof DamagedSliceError || isObjectMissing(error))
      return { readable: false, problems: [], total: 0 };
    throw error;
  }
}

/** CSV has texts only: they are given the types of the schema first. */
function createRecordCheck({ format, schema }: UploadToCheck): CheckItem {
  const checkItem = compileItemCheck(schema);
  if (format !== 'csv') return checkItem;
  return function checkRow(value, place, problems) {
    const coerced = coerceCsv(value as Record<string, unknown>, schema);
    if (coerced.ok) return checkItem(coerced.value, place, problems);
    for (const { field, expected, got } of coerced.problems) {
      if (problems.length >= MAX_PROBLEMS) break;
      const message = `Record ${place.index} (line ${place.line}), ${field}: expected ${expected}, got ${got}.`;
      problems.push({ ...place, field, expected, got, message });
    }
    return coerced.problems.length;
  };
}
