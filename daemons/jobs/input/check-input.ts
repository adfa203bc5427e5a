import { Upload } from '@jobber/db/jobs';
import { AppError, refuse } from '@jobber/shared/errors';
import type { MikroORM } from '@mikro-orm/postgresql';
import { type ItemProblem, MAX_PROBLEMS } from '../catalog/check-items.ts';
import type { CatalogEntry } from '../catalog/job-type-catalog.ts';
import type { NewTask } from '../transitions/accept-jobs.ts';
import type { UploadReader } from '../uploads/upload-reader.ts';
import { cutItems, cutSlices } from './cut-into-tasks.ts';
import type { RequestedInput } from './resolve-data.ts';

/** Input that has passed every check, cut into tasks. */
export interface CheckedInput {
  readonly size: number;
  readonly uploadName: string | null;
  readonly tasks: readonly NewTask[];
}

export interface InputChecker {
  readonly orm: MikroORM;
  readonly reader: UploadReader;
  readonly uploadsDir: string;
}

/**
 * Checks input against the schema of its job type, all items before anything is accepted.
 * @throws AppError 400 INVALID_DATA naming the bad items, 400 FILE_UNREADABLE for an upload that is not the owner's
 */
export async function checkInput(
  checker: InputChecker,
  ownerId: string,
  entry: CatalogEntry,
  input: RequestedInput,
): Promise<CheckedInput> {
  return input.kind === 'items'
    ? checkItems(entry, input.items)
    : await checkRecords(checker, ownerId, entry, input.fileName);
}

function checkItems({ type, checkItem }: CatalogEntry, items: readonly unknown[]): CheckedInput {
  refuseTooMany(items.length, type.maxItems, type.name);
  const problems: ItemProblem[] = [];
  const total = items.reduce<number>((sum, item, index) => sum + checkItem(item, { index }, problems), 0);
  refuseProblems(problems, total);
  return { size: items.length, uploadName: null, tasks: cutItems(items, type.itemsPerTask) };
}

async function checkRecords(
  { orm, reader, uploadsDir }: InputChecker,
  ownerId: string,
  { type }: CatalogEntry,
  fileName: string,
): Promise<CheckedInput> {
  const em = orm.em.fork();
  const upload = await em.findOne(Upload, { name: fileName, ownerId });
  if (!upload) throw new AppError('FILE_UNREADABLE', `Error reading file: ${fileName.slice(0, 255)}`);
  refuseTooMany(upload.records, type.maxItems, type.name);
  const passed = `${type.slug}@${type.version}`;
  if (!upload.checkedFor.includes(passed)) {
    const [, , from = 0, , line = 1] = upload.slices[0] ?? [];
    const to = upload.slices.at(-1)?.[3] ?? 0;
    const { name, format, csvHeader } = upload;
    const { problems, total } = await reader.check(
      { folder: uploadsDir, name, format, csvHeader, from, to, line, schema: type.inputSchema },
      upload.size,
    );
    refuseProblems(problems, total);
    await em.nativeUpdate(Upload, { name }, { checkedFor: [...upload.checkedFor, passed] });
  }
  return {
    size: upload.records,
    uploadName: upload.name,
    tasks: cutSlices(upload.slices, type.itemsPerTask),
  };
}

function refuseTooMany(count: number, limit: number, type: string): void {
  if (count <= limit) return;
  refuse('TOO_LARGE', `A job of ${type} takes at most ${limit} items, got ${count}`, { limit, got: count });
}

function refuseProblems(problems: readonly ItemProblem[], total: number): void {
  const [first] = problems;
  if (!first) return;
  const more = total > 1 ? ` (and ${total - 1} more ${total === 2 ? 'problem' : 'problems'})` : '';
  refuse('INVALID_DATA', `${first.message}${more}`, {
    problems,
    total,
    shown: Math.min(total, MAX_PROBLEMS),
  });
}
