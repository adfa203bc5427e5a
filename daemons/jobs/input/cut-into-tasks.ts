import type { UploadSlice } from '@jobber/db/jobs';
import type { NewTask } from '../transitions/accept-jobs.ts';

/** One item at most, as JSON in bytes; the same limit holds for a record of a file. */
export const MAX_ITEM_BYTES = 1024 * 1024;
/** Items of one task together: tasks travel in gRPC messages. */
const MAX_TASK_BYTES = 1024 * 1024;
/** Bytes of an upload that one task reads at most. */
const MAX_TASK_RANGE = 4 * 1024 * 1024;

/** An item as JSON. */
export interface ItemText {
  readonly text: string;
  /** In UTF-8. */
  readonly bytes: number;
}

/** Items in a row become tasks of at most `itemsPerTask` items. */
export function cutItems(items: readonly ItemText[], itemsPerTask: number): NewTask[] {
  const tasks: NewTask[] = [];
  let first = 0;
  let size = 0;
  for (const [index, { bytes }] of items.entries()) {
    if (index > first && (index - first >= itemsPerTask || size + bytes > MAX_TASK_BYTES)) {
      tasks.push(toTask(items, first, index));
      first = index;
      size = 0;
    }
    size += bytes;
  }
  if (items.length > first) tasks.push(toTask(items, first, items.length));
  // A list that has grown has room for more, and the tasks of a thousand jobs are held until they are stored.
  return tasks.slice();
}

function toTask(items: readonly ItemText[], from: number, to: number): NewTask {
  const texts = items.slice(from, to).map(({ text }) => text);
  return {
    firstItem: from,
    itemCount: to - from,
    items: `[${texts.join(',')}]`,
    byteFrom: null,
    byteTo: null,
    line: null,
  };
}

/**
 * Neighbouring slices of an upload are joined to tasks of at most `itemsPerTask` records; a slice is never cut, so a task
 * has more when the slice has.
 */
export function cutSlices(slices: readonly UploadSlice[], itemsPerTask: number): NewTask[] {
  const tasks: NewTask[] = [];
  for (const [firstItem, count, byteFrom, byteTo, line] of slices) {
    const last = tasks.at(-1);
    if (last && last.itemCount + count <= itemsPerTask && byteTo - (last.byteFrom ?? 0) <= MAX_TASK_RANGE) {
      tasks[tasks.length - 1] = { ...last, itemCount: last.itemCount + count, byteTo };
    } else {
      tasks.push({ firstItem, itemCount: count, items: null, byteFrom, byteTo, line });
    }
  }
  return tasks;
}
