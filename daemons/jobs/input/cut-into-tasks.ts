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
  let open: string[] = [];
  let size = 0;
  let firstItem = 0;

  function close(next: number): void {
    if (open.length > 0) {
      const text = `[${open.join(',')}]`;
      tasks.push({
        firstItem,
        itemCount: open.length,
        items: text,
        byteFrom: null,
        byteTo: null,
        line: null,
      });
    }
    open = [];
    size = 0;
    firstItem = next;
  }

  items.forEach(({ text, bytes }, index) => {
    if (open.length >= itemsPerTask || size + bytes > MAX_TASK_BYTES) close(index);
    open.push(text);
    size += bytes;
  });
  close(items.length);
  return tasks;
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
