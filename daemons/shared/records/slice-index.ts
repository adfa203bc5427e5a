import type { RecordLimits } from './record-limits.ts';

/** A run of consecutive records of a file, readable by its bytes alone (CSV: with the header). */
export interface RecordSlice {
  /** The number of its first record in the file, from 0. */
  firstIndex: number;
  count: number;
  /** Offset in the file of the first byte of its first record. */
  byteFrom: number;
  /** Offset after the last byte of its last record. */
  byteTo: number;
  /** The line of its first record, from 1. */
  line: number;
}

export interface SliceIndex {
  add(record: { index: number; line: number; byteFrom: number; byteTo: number }): void;
  finish(): RecordSlice[];
}

/**
 * Groups consecutive records into slices. When there are too many slices, the number of records per slice doubles
 * and neighbours are joined, so that the index of a file of any length stays small while it is still being read.
 */
export function createSliceIndex(
  limits: Pick<RecordLimits, 'recordsPerSlice' | 'maxSliceBytes' | 'maxSlices'>,
): SliceIndex {
  let slices: RecordSlice[] = [];
  let open: RecordSlice | undefined;
  let recordsPerSlice = Math.max(1, limits.recordsPerSlice);
  let joinAt = Math.max(2, limits.maxSlices);

  function fits(slice: RecordSlice, count: number, byteTo: number): boolean {
    return slice.count + count <= recordsPerSlice && byteTo - slice.byteFrom <= limits.maxSliceBytes;
  }

  function joinNeighbours(): void {
    recordsPerSlice *= 2;
    const joined: RecordSlice[] = [];
    let last: RecordSlice | undefined;
    for (const slice of slices) {
      if (last !== undefined && fits(last, slice.count, slice.byteTo)) {
        last.count += slice.count;
        last.byteTo = slice.byteTo;
      } else {
        joined.push(slice);
        last = slice;
      }
    }
    slices = joined;
    // When the bytes left little to join, the next try waits until it can be worth the pass.
    joinAt = Math.max(joinAt, slices.length + (slices.length >> 1) + 1);
  }

  return {
    add({ index, line, byteFrom, byteTo }) {
      if (open !== undefined && fits(open, 1, byteTo)) {
        open.count++;
        open.byteTo = byteTo;
        return;
      }
      if (slices.length >= joinAt) joinNeighbours();
      open = { firstIndex: index, count: 1, byteFrom, byteTo, line };
      slices.push(open);
    },
    finish() {
      return slices;
    },
  };
}
