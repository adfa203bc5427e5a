import { createHash, randomUUID } from 'node:crypto';
import { Upload, type UploadSlice } from '@jobber/db/jobs';
import { type Identity, requirePermission } from '@jobber/shared/auth-guard';
import { AppError, refuse } from '@jobber/shared/errors';
import { detectFormat, type RecordFormat, type RecordIndex } from '@jobber/shared/records';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { ObjectStorage } from '../uploads/object-storage.ts';
import type { UploadReader } from '../uploads/upload-reader.ts';

export interface ReceivedUpload {
  /** The generated name. */
  readonly filename: string;
  readonly originalName: string;
  /** In bytes. */
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  readonly records: number;
  readonly uploadedAt: Date;
}

export interface UploadLimits {
  /** Of one file. */
  readonly maxBytes: number;
  /** Of all files of one user. */
  readonly quotaBytes: number;
}

export interface UploadParts {
  readonly orm: MikroORM;
  readonly storage: ObjectStorage;
  readonly reader: UploadReader;
  readonly uploadsDir: string;
  readonly limits: UploadLimits;
}

/** A file as it arrives. */
export interface IncomingFile {
  readonly fileName: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Enough of a file to recognise it by. */
const HEAD_BYTES = 4 * 1024;
const MAX_NAME_LENGTH = 255;

/** What has been seen of a file while it streamed by. */
interface Seen {
  size: number;
  sha256: string;
}

/** @throws AppError 429 QUOTA_EXCEEDED */
export async function checkUploadQuota(parts: UploadParts, identity: Identity): Promise<void> {
  requirePermission(identity, 'uploads:write');
  const { quotaBytes } = parts.limits;
  const [row] = await parts.orm.em
    .fork()
    .execute<{ used: string }[]>('select coalesce(sum(size), 0) as used from upload where owner_id = ?', [
      identity.userId,
    ]);
  if (Number(row?.used) < quotaBytes) return;
  refuse('QUOTA_EXCEEDED', `Your uploads have reached the limit of ${quotaBytes} bytes`, {
    limit: quotaBytes,
  });
}

/**
 * Streams a file to storage, then reads it once to check and count its records. Nothing is kept of a refused file.
 * @throws AppError 400 INVALID_FILE, 413 TOO_LARGE, 503 UNAVAILABLE when there is no room
 */
export async function receiveUpload(
  parts: UploadParts,
  identity: Identity,
  file: IncomingFile,
): Promise<ReceivedUpload> {
  requirePermission(identity, 'uploads:write');
  const { bytes, format } = await recogniseFormat(file);
  const name = `${randomUUID()}.${format}`;
  const seen: Seen = { size: 0, sha256: '' };
  await parts.storage.write(name, measure(bytes, parts.limits.maxBytes, seen)).catch(refuseFullDisk);
  try {
    const index = await parts.reader.index({ folder: parts.uploadsDir, name, format }, seen.size);
    refuseDamage(index);
    const originalName = printableName(file.fileName);
    const upload = { name, ownerId: identity.userId, originalName, format, ...seen, uploadedAt: new Date() };
    await parts.orm.em.fork().insert(Upload, {
      ...upload,
      records: index.records,
      csvHeader: [...(index.csvHeader ?? [])],
      slices: index.slices.map(toTuple),
      checkedFor: [],
    });
    return { filename: name, originalName, ...seen, records: index.records, uploadedAt: upload.uploadedAt };
  } catch (error) {
    await parts.storage.remove(name);
    throw error;
  }
}

async function recogniseFormat(
  file: IncomingFile,
): Promise<{ bytes: AsyncIterable<Uint8Array>; format: RecordFormat }> {
  const iterator = file.bytes[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let length = 0;
  while (length < HEAD_BYTES) {
    const { done, value } = await iterator.next();
    if (done) break;
    head.push(value);
    length += value.length;
  }
  const detected = detectFormat({ fileName: file.fileName, head: Buffer.concat(head) });
  if (!detected.ok) throw new AppError('INVALID_FILE', detected.message, { problem: detected.reason });
  return { bytes: rejoin(head, iterator), format: detected.format };
}

async function* rejoin(
  head: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* head;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

async function* measure(
  bytes: AsyncIterable<Uint8Array>,
  maxBytes: number,
  seen: Seen,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) {
    seen.size += chunk.length;
    if (seen.size > maxBytes)
      refuse('TOO_LARGE', `The file is larger than ${maxBytes} bytes`, { limit: maxBytes });
    hash.update(chunk);
    yield chunk;
  }
  seen.sha256 = hash.digest('hex');
}

function refuseFullDisk(error: NodeJS.ErrnoException): never {
  if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT') throw error;
  throw new AppError('UNAVAILABLE', 'There is no room for the file at the moment', undefined, {
    cause: error,
  });
}

function refuseDamage(index: RecordIndex): void {
  if (index.ok && index.records > 0) return;
  const { problems, problemCount, stopped } = index;
  const [first] = problems;
  if (!first) refuse('INVALID_FILE', 'The file holds no records');
  const more = problemCount > 1 ? ` (and ${problemCount - 1} more)` : '';
  refuse('INVALID_FILE', `${first.message}${more}`, { problems, total: problemCount, stopped });
}

/** The name as a person knows the file, without a path and without anything a terminal could act on. */
function printableName(fileName: string): string {
  const base = fileName.split(/[/\\]/).at(-1) ?? '';
  const printable = base.replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, '');
  return printable.slice(0, MAX_NAME_LENGTH) || 'upload';
}

function toTuple(slice: RecordIndex['slices'][number]): UploadSlice {
  return [slice.firstIndex, slice.count, slice.byteFrom, slice.byteTo, slice.line];
}
