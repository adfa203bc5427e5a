import type { UploadSlice } from '@jobber/db/jobs';
import type { NewTask } from '../transitions/accept-jobs.ts';

/** JSON text of one task at most, in bytes or so: a task travels in one gRPC message. */
const MAX_TASK_TEXT = 1024 * 1024;
/** Bytes of an upload that one task reads at most. */
const MAX_TASK_BYTES = 4 * 1024 * 1024;

/** Items in a row become tasks of at most `itemsPerTask` items. */
export function cutItems(items: readonly unknown[], itemsPerTask: number): NewTask[] {
  const tasks: NewTask[] = [];
  let open: string[] = [];
  let length = 0;
  let firstItem = 0;

  function close(next: number): void {
    if (open.length > 0) {
      tasks.push({
        firstItem,
        itemCount: open.length,
        items: `[${open.join(',')}]`,
        byteFrom: null,
        byteTo: null,
        line: null,
      });
    }
    open = [];
    length = 0;
    firstItem = next;
  }

  items.forEach((item, index) => {
    const text = JSON.stringify(item);
    if (open.length >= itemsPerTask || length + text.length > MAX_TASK_TEXT) close(index);
    open.push(text);
    length += text.length;
  });
  close(items.length);
  return tasks;
}

/** Neighbouring slices of an upload are joined to tasks of at most `itemsPerTask` records; a slice is never cut. */
export function cutSlices(slices: readonly UploadSlice[], itemsPerTask: number): NewTask[] {
  const tasks: NewTask[] = [];
  for (const [firstItem, count, byteFrom, byteTo, line] of slices) {
    const last = tasks.at(-1);
    if (last && last.itemCount + count <= itemsPerTask && byteTo - (last.byteFrom ?? 0) <= MAX_TASK_BYTES) {
      tasks[tasks.length - 1] = { ...last, itemCount: last.itemCount + count, byteTo };
    } else {
      tasks.push({ firstItem, itemCount: count, items: null, byteFrom, byteTo, line });
    }
  }
  return tasks;
}
