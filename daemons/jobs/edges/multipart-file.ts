import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import { AppError, isAppError } from '@jobber/shared/errors';
import { describeValue } from '@jobber/shared/json';
import type { IncomingFile } from '../use-cases/receive-upload.ts';

const FIELD = 'file';
/** Room for the parts around the file. */
const ENVELOPE_BYTES = 64 * 1024;
/** A client sends this many bytes a second, on average over the stall time, or is given up. */
const MIN_BYTES_PER_SECOND = 256;

export interface MultipartLimits {
  /** Of the file. */
  readonly maxBytes: number;
  /** A body of which next to nothing arrives for this many milliseconds is given up. */
  readonly stallMs: number;
}

/**
 * Reads a multipart body that consists of one file in the field `file`, and hands the file over as it streams in. The
 * file's bytes end only once the whole body was sound, so that `receive` keeps nothing of a request that is refused.
 * @throws AppError 400 INVALID_FILE for anything else, 413 TOO_LARGE
 */
export async function readMultipartFile<T>(
  request: IncomingMessage,
  limits: MultipartLimits,
  receive: (file: IncomingFile) => Promise<T>,
): Promise<T> {
  refuseByHeaders(request, limits.maxBytes);
  // It may have broken while the request waited for its turn; nothing would tell it again.
  if (hasBroken(request)) throw connectionLost();
  const parser = createParser(request);
  const body = Promise.withResolvers<void>();
  let file: Readable | undefined;
  let reception: Promise<T> | undefined;

  function stop(error: Error): void {
    request.unpipe(parser);
    parser.destroy();
    file?.destroy(error);
    body.reject(error);
  }

  async function* bytesOf(stream: Readable): AsyncGenerator<Uint8Array> {
    try {
      yield* stream;
    } catch (error) {
      throw isAppError(error) ? error : damaged();
    }
    await body.promise;
  }

  parser.on('file', (field: string, stream: Readable, fileName: string | undefined) => {
    stream.on('error', () => {});
    if (field !== FIELD)
      return stop(refusal(`Send the file in the field "${FIELD}", got ${describeValue(field)}`));
    if (file) return stop(refusal('Send one file at a time, got two'));
    file = stream;
    reception = receive({ fileName: fileName ?? '', bytes: bytesOf(stream) });
    // A refusal ends the reading: the rest of the body is of no use.
    reception.catch(stop);
  });
  parser.on('partsLimit', () => stop(refusal('The form has too many parts')));
  parser.on('fieldsLimit', () => stop(refusal('The form has too many fields')));
  parser.on('error', () => stop(damaged()));
  parser.on('finish', () => body.resolve());
  const unwatch = watchArrival(request, limits, stop);
  request.pipe(parser);

  try {
    await body.promise;
    if (!reception) throw refusal(`The form has no file in the field "${FIELD}"`);
    return await reception;
  } catch (error) {
    // Whatever was being written is removed before the refusal is told.
    await reception?.catch(() => {});
    throw error;
  } finally {
    unwatch();
  }
}

/** Calls `stop` when the connection breaks, when too much arrives, or next to nothing for too long. */
function watchArrival(
  request: IncomingMessage,
  { maxBytes, stallMs }: MultipartLimits,
  stop: (error: AppError) => void,
): () => void {
  let arrived = 0;
  let lastArrived = 0;

  function onData(chunk: Buffer): void {
    arrived += chunk.length;
    if (arrived > maxBytes + ENVELOPE_BYTES) stop(tooLarge(maxBytes));
  }
  function onClose(): void {
    if (hasBroken(request)) stop(connectionLost());
  }
  function checkRate(): void {
    const enough = arrived - lastArrived >= (MIN_BYTES_PER_SECOND * stallMs) / 1_000;
    lastArrived = arrived;
    // A body that waits for us is not late.
    if (enough || request.complete || request.isPaused()) return;
    stop(refusal(`The file arrives too slowly: less than ${MIN_BYTES_PER_SECOND} bytes a second`));
  }

  const timer = setInterval(checkRate, stallMs);
  request.on('data', onData).once('error', onClose).once('close', onClose);
  return () => {
    clearInterval(timer);
    request.off('data', onData).off('close', onClose);
  };
}

/**
 * Whether there will be no end of the body. Also a body that has arrived whole is lost when what comes behind it is no
 * request, such as the rest of a file whose length was stated too short: that breaks the connection before it is read.
 */
function hasBroken(request: IncomingMessage): boolean {
  return request.destroyed && !request.readableEnded;
}

function refuseByHeaders(request: IncomingMessage, maxBytes: number): void {
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > maxBytes + ENVELOPE_BYTES) throw tooLarge(maxBytes);
}

function createParser(request: IncomingMessage): InstanceType<typeof Busboy> {
  const type = request.headers['content-type'] ?? '';
  if (!/^multipart\/form-data\b/i.test(type)) {
    throw refusal(`The content type must be multipart/form-data, got ${describeValue(type)}`);
  }
  try {
    return new Busboy({
      headers: request.headers as BusboyHeaders,
      limits: { files: 2, fields: 10, parts: 12, fieldSize: 1_024, headerPairs: 20, headerSize: 16 * 1024 },
    });
  } catch {
    throw refusal('The form is damaged: it has no boundary');
  }
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('TOO_LARGE', `The file is larger than ${maxBytes} bytes`, { limit: maxBytes });
}

function connectionLost(): AppError {
  return refusal('The connection was lost');
}

function damaged(): AppError {
  return refusal('The form is damaged or cut off');
}

function refusal(message: string): AppError {
  return new AppError('INVALID_FILE', message);
}
