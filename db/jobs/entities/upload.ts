import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** Consecutive records of an upload: first index, count, first byte, byte after the last, line of the first. */
export type UploadSlice = readonly [
  firstIndex: number,
  count: number,
  byteFrom: number,
  byteTo: number,
  line: number,
];

/** A file sent to Jobs, kept in object storage under its generated name. */
export const Upload = defineEntity({
  name: 'Upload',
  tableName: 'upload',
  properties: {
    name: p.text().primary(),
    ownerId: p.uuid(),
    originalName: p.text(),
    format: p.enum(['json', 'ndjson', 'csv']),
    /** In bytes. */
    size: p.bigint('number'),
    /** Hex. */
    sha256: p.text(),
    records: p.integer(),
    csvHeader: p.json<string[]>(),
    slices: p.json<UploadSlice[]>(),
    /** `slug@version` of the job types whose schema all records have passed. */
    checkedFor: p.array().default([]),
    uploadedAt: p.datetime(),
    /** When the file was removed after its time; the row stays as long as a job refers to it. */
    removedAt: p.datetime().strictNullable(),
  },
});
export type Upload = InferEntity<typeof Upload>;
