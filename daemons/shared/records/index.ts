export { describeValue } from '../json/describe-value.ts';
export { type CoercedCsv, coerceCsv, type JsonSchemaLike } from './coerce-csv.ts';
export { createRecordIndexer, type RecordIndex, type RecordIndexer } from './create-record-indexer.ts';
export { type DetectedFormat, detectFormat, onlyTheseFormats } from './detect-format.ts';
export { DamagedSliceError, readSlice, type SliceRecord, type SliceToRead } from './read-slice.ts';
export { defaultRecordLimits, type RecordFormat, type RecordLimits } from './record-limits.ts';
export type { RecordProblem } from './record-problem.ts';
export type { RecordSlice } from './slice-index.ts';
