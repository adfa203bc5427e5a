import { refuse } from '@jobber/shared/errors';
import { parseJsonExact } from '@jobber/shared/json';
import { type RecordFormat, readSlice } from '@jobber/shared/records';
import type { Pool } from 'pg';
import type { TaskRef } from '../transitions/redrive-tasks.ts';
import { isObjectMissing, type ObjectStorage } from '../uploads/object-storage.ts';

/** An item as it was submitted. */
export interface ItemInput {
  /** In the job, from 0. */
  readonly index: number;
  /** CSV: every value a text. */
  readonly value: unknown;
}

const MAX_ITEMS = 1_000;

const READ_TASK_INPUT = `
  select task.first_item, task.item_count, task.items, task.byte_from, task.byte_to, task.line,
    upload.name, upload.format, upload.csv_header,
    array(select task.first_item + (d -> 0)::int from jsonb_array_elements(task.decided) d where (d -> 1)::int = 0) as failed
  from task join job on job.id = task.job_id
  left join upload on upload.name = job.upload_name and upload.removed_at is null
  where task.job_id = $1 and task.seq = $2`;

interface InputRow {
  readonly first_item: number;
  readonly item_count: number;
  readonly items: string | null;
  readonly byte_from: string | null;
  readonly byte_to: string | null;
  readonly line: string | null;
  readonly name: string | null;
  readonly format: string | null;
  readonly csv_header: string[] | null;
  readonly failed: number[];
}

/**
 * The input of a task's failed items, by index; null when it is no longer kept.
 * @param maxBytes of all of it, as JSON @throws AppError 413 TOO_LARGE
 */
export async function readFailedInput(
  { pool, storage }: { pool: Pool; storage: ObjectStorage },
  { jobId, seq }: TaskRef,
  { limit, maxBytes }: { limit: number; maxBytes: number },
): Promise<ItemInput[] | null> {
  const { rows } = await pool.query<InputRow>(READ_TASK_INPUT, [jobId, seq]);
  const [row] = rows;
  const all = row && openItems(storage, row);
  if (!all) return null;
  const wanted = new Set(row.failed.sort((a, b) => a - b).slice(0, Math.min(limit, MAX_ITEMS)));
  try {
    const found: ItemInput[] = [];
    let bytes = 0;
    for await (const item of all) {
      if (!wanted.has(item.index)) continue;
      bytes += Buffer.byteLength(JSON.stringify(item));
      if (bytes > maxBytes)
        refuse(
          'TOO_LARGE',
          'The input of the failed items is too large for one answer; ask for fewer items',
          {
            limit: maxBytes,
          },
        );
      found.push(item);
      if (found.length === wanted.size) break;
    }
    return found;
  } catch (error) {
    if (isObjectMissing(error)) return null;
    throw error;
  }
}

/** @returns undefined when the upload that holds them was removed */
function openItems(storage: ObjectStorage, row: InputRow): AsyncGenerator<ItemInput> | undefined {
  if (row.items !== null) return readInline(row.items, row.first_item);
  return row.name === null ? undefined : readUploaded(storage, row.name, row);
}

async function* readInline(items: string, firstItem: number): AsyncGenerator<ItemInput> {
  const parsed = parseJsonExact(items);
  const values = parsed.ok && Array.isArray(parsed.value) ? parsed.value : [];
  for (const [offset, value] of values.entries()) yield { index: firstItem + offset, value };
}

async function* readUploaded(storage: ObjectStorage, name: string, row: InputRow): AsyncGenerator<ItemInput> {
  const { format, csv_header: csvHeader, first_item: firstIndex, item_count: count } = row;
  const slice = {
    format: format as RecordFormat,
    csvHeader: csvHeader ?? [],
    firstIndex,
    line: Number(row.line),
    count,
  };
  const bytes = storage.read(name, { from: Number(row.byte_from), to: Number(row.byte_to) });
  for await (const { index, value } of readSlice(slice, bytes)) yield { index, value };
}
