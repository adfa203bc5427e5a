import { coerceCsv, readSlice } from '@jobber/shared/records';
import { compileItemCheck, type ItemProblem, MAX_PROBLEMS } from '../catalog/check-items.ts';
import type { UploadToIndex } from './index-upload.ts';
import { createLocalStorage } from './object-storage.ts';

export interface UploadToCheck extends UploadToIndex {
  readonly csvHeader: readonly string[];
  /** First byte and line of the records, and the byte after them. */
  readonly from: number;
  readonly to: number;
  readonly line: number;
  readonly schema: Readonly<Record<string, unknown>>;
}

export interface UploadCheck {
  /** The first problems. */
  readonly problems: readonly ItemProblem[];
  /** How many there are in all. */
  readonly total: number;
}

/** Checks every record of an upload against the schema of a job type, one at a time. */
export async function checkUpload(upload: UploadToCheck): Promise<UploadCheck> {
  const checkItem = compileItemCheck(upload.schema);
  const problems: ItemProblem[] = [];
  let total = 0;
  const { from, to, line, format, csvHeader } = upload;
  const bytes = createLocalStorage(upload.folder).read(upload.name, { from, to });
  for await (const record of readSlice({ format, csvHeader, firstIndex: 0, line }, bytes)) {
    const place = { index: record.index, line: record.line };
    if (format !== 'csv') {
      total += checkItem(record.value, place, problems);
      continue;
    }
    const coerced = coerceCsv(record.value, upload.schema);
    if (coerced.ok) {
      total += checkItem(coerced.value, place, problems);
      continue;
    }
    total += coerced.problems.length;
    for (const problem of coerced.problems.slice(0, Math.max(0, MAX_PROBLEMS - problems.length))) {
      const { field, expected, got } = problem;
      const message = `Record ${place.index} (line ${place.line}), ${field}: expected ${expected}, got ${got}.`;
      problems.push({ ...place, field, expected, got, message });
    }
  }
  return { problems, total };
}
