export type RecordFormat = 'json' | 'ndjson' | 'csv';

export interface RecordLimits {
  /** The longest record in bytes, as it stands in the file; no more of a file than this is ever held. */
  maxRecordBytes: number;
  /** How deep a record may nest; the record itself is 1. */
  maxDepth: number;
  /** Records of a slice; doubled as often as `maxSlices` needs it. */
  recordsPerSlice: number;
  /** Bytes of a slice; only one single record may be longer. */
  maxSliceBytes: number;
  /** Slices of a file; exceeded only when `maxSliceBytes` leaves no other way. */
  maxSlices: number;
  /** How many problems are kept with their details; all are counted. */
  maxProblems: number;
}

export const defaultRecordLimits: Readonly<RecordLimits> = {
  maxRecordBytes: 1024 * 1024,
  maxDepth: 32,
  recordsPerSlice: 250,
  maxSliceBytes: 4 * 1024 * 1024,
  maxSlices: 4096,
  maxProblems: 20,
};
