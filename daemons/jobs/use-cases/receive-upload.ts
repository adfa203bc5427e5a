import { createHash, randomUUID } from 'node:crypto';
import type { UploadSlice } from '@jobber/db/jobs';
import { type Identity, requirePermission } from '@jobber/shared/auth-guard';
import { AppError, refuse } from '@jobber/shared/errors';
import type { Logger } from '@jobber/shared/log';
import { detectFormat, type RecordFormat, type RecordIndex } from '@jobber/shared/records';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { JobsMetrics } from '../jobs-metrics.ts';
import { storeUpload, usedBytes } from '../transitions/store-upload.ts';
import { isStorageUnavailable, type ObjectStorage } from '../uploads/object-storage.ts';
import type { StorageLocation } from '../uploads/open-storage.ts';
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
  readonly uploadsAt: StorageLocation;
  readonly limits: UploadLimits;
  readonly metrics: Pick<JobsMetrics, 'uploadBytes'>;
  readonly log: Logger;
}

/** A file as it arrives. */
export interface IncomingFile {
  /** As the client says. */
  readonly fileName: string;
  /** Ends once the whole request was sound. */
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

/** @returns how many bytes the user may still send. @throws AppError 403 FORBIDDEN, 429 QUOTA_EXCEEDED */
export async function checkUploadQuota(parts: UploadParts, identity: Identity): Promise<number> {
  requirePermission(identity, 'uploads:write');
  const left = parts.limits.quotaBytes - (await usedBytes(parts.orm.em.fork(), identity.userId));
  return left > 0 ? left : refuseOverQuota(parts.limits);
}

/**
 * Streams a file to storage, then reads it once to check and count its records. Nothing is kept of a refused file.
 * @param room bytes that the user's quota leaves
 * @throws AppError 400 INVALID_FILE, 413 TOO_LARGE, 429 QUOTA_EXCEEDED, 503 UNAVAILABLE when there is no room
 */
export async function receiveUpload(
  parts: UploadParts,
  identity: Identity,
  file: IncomingFile,
  room: number,
): Promise<ReceivedUpload> {
  const { orm, storage, reader, uploadsAt, limits, metrics, log } = parts;
  const { bytes, format } = await recogniseFormat(file);
  const name = `${randomUUID()}.${format}`;
  const seen: Seen = { size: 0, sha256: '' };
  await storage
    .write(name, measure(bytes, { limits, room }, seen))
    .catch((error) => refuseStorage(error, log));
  try {
    const index = await reader.index({ storage: uploadsAt, name, format }, seen.size);
    refuseDamage(index);
    const { records } = index;
    const known = { originalName: printableName(file.fileName), ...seen, records, uploadedAt: new Date() };
    const row = {
      ...known,
      name,
      ownerId: identity.userId,
      format,
      csvHeader: [...(index.csvHeader ?? [])],
      slices: index.slices.map(toTuple),
    };
    if (!(await storeUpload(orm, row, limits.quotaBytes))) refuseOverQuota(limits);
    metrics.uploadBytes.inc(seen.size);
    log.info({ upload: name, bytes: seen.size, records, ownerId: identity.userId }, 'file received');
    return { filename: name, ...known };
  } catch (error) {
    // What can't be removed now has no row: the clean-up finds it. A storage that does not
    // serve is not waited for once more.
    if (!isStorageUnavailable(error)) await storage.remove(name).catch(() => {});
    throw error;
  }
}

function refuseOverQuota({ quotaBytes }: UploadLimits): never {
  refuse('QUOTA_EXCEEDED', `Your uploads would exceed the limit of ${quotaBytes} bytes together`, {
    limit: quotaBytes,
  });
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
  { limits, room }: { limits: UploadLimits; room: number },
  seen: Seen,
): AsyncGenerator<Uint8Array> {
  const { maxBytes } = limits;
  const hash = createHash('sha256');
  for await (const chunk of bytes) {
    seen.size += chunk.length;
    if (seen.size > maxBytes)
      refuse('TOO_LARGE', `The file is larger than ${maxBytes} bytes`, { limit: maxBytes });
    if (seen.size > room) refuseOverQuota(limits);
    hash.update(chunk);
    yield chunk;
  }
  seen.sha256 = hash.digest('hex');
}

/** A storage that is full or away is nobody's fault who sends a file. */
function refuseStorage(error: NodeJS.ErrnoException, log: Logger): never {
  const { code } = error;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  if (!full && !isStorageUnavailable(error)) throw error;
  log.warn({ code }, 'a file could not be stored');
  const why = full
    ? 'There is no room for the file at the moment'
    : 'The storage of files does not answer at the moment; try again';
  throw new AppError('UNAVAILABLE', why, undefined, { cause: error });
}

function refuseDamage(index: RecordIndex): void {
  if (index.ok && index.records > 0) return;
  const { problems, problemCount, stopped } = index;
  const [first] = problems;
  if (!first) refuse('INVALID_FILE', 'The file holds no records');
  const more = problemCount > 1 ? ` And ${problemCount - 1} more.` : '';
  refuse('INVALID_FILE', `${first.message}${more}`, { problems, total: problemCount, stopped });
}

/** The name as a person knows the file, without a path and without anything a terminal could act on. */
function printableName(fileName: string): string {
  const base = fileName.split(/[/\\]/).at(-1) ?? '';
  const printable = base.replaceAll(/\p{C}/gu, '');
  return printable.slice(0, MAX_NAME_LENGTH).toWellFormed() || 'upload';
}

function toTuple(slice: RecordIndex['slices'][number]): UploadSlice {
  return [slice.firstIndex, slice.count, slice.byteFrom, slice.byteTo, slice.line];
}
