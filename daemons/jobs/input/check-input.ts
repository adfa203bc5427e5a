import { type JobType, Upload } from '@jobber/db/jobs';
import { AppError, refuse } from '@jobber/shared/errors';
import type { MikroORM } from '@mikro-orm/postgresql';
import { type ItemProblem, MAX_PROBLEMS } from '../catalog/check-items.ts';
import type { CatalogEntry } from '../catalog/job-type-catalog.ts';
import type { NewTask } from '../transitions/accept-jobs.ts';
import type { UploadCheck } from '../uploads/check-upload.ts';
import { isObjectName } from '../uploads/object-storage.ts';
import type { StorageLocation } from '../uploads/open-storage.ts';
import type { UploadReader } from '../uploads/upload-reader.ts';
import { cutItems, cutSlices, type ItemText, MAX_ITEM_BYTES } from './cut-into-tasks.ts';
import { printableName } from './printable-name.ts';
import type { RequestedInput } from './resolve-data.ts';

/** Of one job, or of all jobs of one request. */
export const MAX_TASKS = 100_000;

/** Input that has passed every check, cut into tasks. */
export interface CheckedInput {
  readonly size: number;
  readonly uploadName: string | null;
  readonly tasks: readonly NewTask[];
}

/**
 * Checks input against the schema of its job type, all items before anything is accepted.
 * @throws AppError 400 INVALID_DATA naming the bad items, 400 FILE_UNREADABLE for an upload that is not the owner's,
 *   413 TOO_LARGE for too many items or tasks
 */
export type CheckInput = (
  ownerId: string,
  entry: CatalogEntry,
  input: RequestedInput,
) => CheckedInput | Promise<CheckedInput>;

/** The same for a file that is missing, one that is gone and one that is another user's. */
export function fileUnreadable(fileName: string): AppError {
  return new AppError('FILE_UNREADABLE', `Error reading file: ${printableName(fileName)}`);
}

export function createCheckInput(parts: {
  orm: MikroORM;
  reader: UploadReader;
  uploadsAt: StorageLocation;
}): CheckInput {
  const { orm, reader, uploadsAt } = parts;
  /** Many jobs over one upload that arrive together wait for one check. */
  const underWay = new Map<string, Promise<UploadCheck>>();

  async function checkRecords(upload: Upload, { type }: CatalogEntry): Promise<UploadCheck> {
    const [, , from = 0, , line = 1] = upload.slices[0] ?? [];
    const to = upload.slices.at(-1)?.[3] ?? 0;
    const { name, format, csvHeader } = upload;
    const check = await reader.check(
      { storage: uploadsAt, name, format, csvHeader, from, to, line, schema: type.inputSchema },
      upload.size,
    );
    if (check.readable && check.total === 0) {
      await orm.em
        .fork()
        .execute('update upload set checked_for = array_append(checked_for, ?) where name = ?', [
          passKey({ type }),
          name,
        ]);
    }
    return check;
  }

  async function checkUpload(ownerId: string, entry: CatalogEntry, fileName: string): Promise<CheckedInput> {
    const { type } = entry;
    const found = isObjectName(fileName)
      ? await orm.em.fork().findOne(Upload, { name: fileName, ownerId, removedAt: null })
      : null;
    if (!found) throw fileUnreadable(fileName);
    const upload: Upload = found;
    refuseTooMany(upload.records, type.maxItems, type.name);
    if (!upload.checkedFor.includes(passKey(entry))) {
      const key = `${upload.name} ${passKey(entry)}`;
      const checking = underWay.get(key) ?? checkRecords(upload, entry).finally(() => underWay.delete(key));
      underWay.set(key, checking);
      const check = await checking;
      if (!check.readable) throw fileUnreadable(fileName);
      refuseProblems(check.problems, check.total);
    }
    const tasks = cutSlices(upload.slices, type.itemsPerTask);
    refuseTooManyTasks(tasks, type);
    return { size: upload.records, uploadName: upload.name, tasks };
  }

  return function checkInput(ownerId, entry, input) {
    return input.kind === 'items'
      ? checkItems(entry, input.items)
      : checkUpload(ownerId, entry, input.fileName);
  };
}

/** Names the schema that a file has passed. */
function passKey({ type }: Pick<CatalogEntry, 'type'>): string {
  return `${type.slug}@${type.version}`;
}

function checkItems({ type, checkItem }: CatalogEntry, items: readonly unknown[]): CheckedInput {
  refuseTooMany(items.length, type.maxItems, type.name);
  const problems: ItemProblem[] = [];
  const texts: ItemText[] = [];
  let total = 0;
  for (const [index, item] of items.entries()) {
    total += checkItem(item, { index }, problems);
    const text = JSON.stringify(item);
    const bytes = Buffer.byteLength(text);
    texts.push({ text, bytes });
    if (bytes <= MAX_ITEM_BYTES) continue;
    total += 1;
    if (problems.length < MAX_PROBLEMS) problems.push(tooLong(index, bytes));
  }
  if (total > 0) refuseProblems(problems, total, adviceFor(items, type));
  const tasks = cutItems(texts, type.itemsPerTask);
  refuseTooManyTasks(tasks, type);
  return { size: items.length, uploadName: null, tasks };
}

/** An upload that is named in another way than `resolveData` reads is taken for an item. */
function adviceFor([item, ...others]: readonly unknown[], { inputSchema }: JobType): string {
  const properties = inputSchema['properties'];
  const hasField = typeof properties === 'object' && properties !== null && 'fileName' in properties;
  if (others.length > 0 || hasField || typeof item !== 'object' || item === null || !('fileName' in item))
    return '';
  return ' To run over an upload, data must be {"fileName": "<its filename>"}: text, and nothing else.';
}

function tooLong(index: number, bytes: number): ItemProblem {
  const expected = `at most ${MAX_ITEM_BYTES} bytes of JSON`;
  const got = `${bytes} bytes`;
  return { index, expected, got, message: `Item ${index}: expected ${expected}, got ${got}.` };
}

function refuseTooMany(count: number, limit: number, type: string): void {
  if (count <= limit) return;
  refuse('TOO_LARGE', `A job of ${type} takes at most ${limit} items, got ${count}`, { limit, got: count });
}

/** A job is stored, cancelled and tried again as a whole, while somebody waits for it. */
function refuseTooManyTasks({ length }: readonly NewTask[], { name, itemsPerTask }: JobType): void {
  if (length <= MAX_TASKS) return;
  const items = itemsPerTask === 1 ? 'one item' : `up to ${itemsPerTask} items`;
  refuse(
    'TOO_LARGE',
    `A job has at most ${MAX_TASKS} tasks, this one would have ${length}: a task of ${name} has ${items}`,
    { limit: MAX_TASKS, got: length },
  );
}

function refuseProblems(problems: readonly ItemProblem[], total: number, advice = ''): void {
  const [first] = problems;
  if (!first) return;
  const more = total > 1 ? ` And ${total - 1} more ${total === 2 ? 'problem' : 'problems'}.` : '';
  refuse('INVALID_DATA', `${first.message}${more}${advice}`, { problems, total, shown: problems.length });
}
