import type { JobType } from '@jobber/job-types';
import type { JobsServiceClient, LeasedTask, UploadSlice } from '@jobber/proto/jobs/v1/jobs';
import { deadline } from '@jobber/shared/grpc';
import { coerceCsv, type JsonSchemaLike, type RecordFormat, readSlice } from '@jobber/shared/records';

/** One item of a task as its handler gets it, or why it can't be given to one. */
export type TaskItem =
  | { readonly offset: number; readonly index: number; readonly value: unknown }
  | { readonly offset: number; readonly index: number; readonly problem: string };

export interface ItemSource {
  readonly client: Pick<JobsServiceClient, 'readUpload'>;
  readonly executorId: string;
}

/** The task's input is not what was accepted; reading it again would not help. */
export class DamagedInputError extends Error {
  override readonly name = 'DamagedInputError';
}

/** How long reading a slice of an upload may take, in milliseconds. */
const READ_MS = 30_000;

/** The undecided items of a task that came with them, in order. @throws DamagedInputError, or SyntaxError */
export function takeTaskItems(task: LeasedTask): TaskItem[] {
  if (task.input?.$case !== 'itemsJson')
    throw new DamagedInputError('The task has no input that this executor can read');
  return undecidedItems(task, parseItems(task.input.value, task.firstItem));
}

/**
 * The undecided items of a task whose input is in an upload, in order.
 * @throws DamagedInputError, DamagedSliceError, or what the call to Jobs throws
 */
export async function readTaskItems(
  source: ItemSource,
  task: LeasedTask,
  slice: UploadSlice,
  type: Pick<JobType, 'inputSchema'>,
  signal: AbortSignal,
): Promise<TaskItem[]> {
  return undecidedItems(task, await readUploadedItems(source, task, slice, type.inputSchema, signal));
}

function undecidedItems({ itemCount, offsets }: LeasedTask, all: TaskItem[]): TaskItem[] {
  if (all.length !== itemCount) {
    throw new DamagedInputError(`The task has ${itemCount} items, but its input has ${all.length}`);
  }
  if (offsets.length === 0) return all;
  return offsets.map((offset) => {
    const item = all[offset];
    if (!item) throw new DamagedInputError(`The task has ${itemCount} items, none at offset ${offset}`);
    return item;
  });
}

/** Jobs has checked the text when it accepted the job. */
function parseItems(itemsJson: string, firstItem: number): TaskItem[] {
  const values: unknown = JSON.parse(itemsJson);
  if (!Array.isArray(values)) throw new DamagedInputError('The input of the task is no JSON array');
  return values.map((value: unknown, offset) => ({ offset, index: firstItem + offset, value }));
}

async function readUploadedItems(
  { client, executorId }: ItemSource,
  task: LeasedTask,
  { format, csvHeader, line, byteFrom, byteTo }: UploadSlice,
  schema: JsonSchemaLike,
  signal: AbortSignal,
): Promise<TaskItem[]> {
  const request = { executorId, ref: task.ref, byteFrom, byteTo };
  const chunks = client.readUpload(request, deadline(READ_MS, signal));
  const slice = {
    format: format as RecordFormat,
    csvHeader,
    firstIndex: task.firstItem,
    line,
    count: task.itemCount,
  };
  const items: TaskItem[] = [];
  for await (const { index, value } of readSlice(slice, bytesOf(chunks))) {
    const offset = index - task.firstItem;
    if (format !== 'csv') {
      items.push({ offset, index, value });
      continue;
    }
    const coerced = coerceCsv(value, schema);
    items.push(
      coerced.ok
        ? { offset, index, value: coerced.value }
        : { offset, index, problem: describeProblems(coerced.problems) },
    );
  }
  return items;
}

async function* bytesOf(chunks: AsyncIterable<{ chunk: Uint8Array }>): AsyncGenerator<Uint8Array> {
  for await (const { chunk } of chunks) yield chunk;
}

function describeProblems(problems: readonly { field: string; expected: string; got: string }[]): string {
  return problems.map(({ field, expected, got }) => `${field}: expected ${expected}, got ${got}`).join('; ');
}
