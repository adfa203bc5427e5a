import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import { AppError, isAppError } from '@jobber/shared/errors';
import type { IncomingFile } from '../use-cases/receive-upload.ts';

const FIELD = 'file';
/** A body of which nothing arrives for this many milliseconds is given up. */
const STALL_MS = 30_000;
/** Room for the parts around the file. */
const ENVELOPE_BYTES = 64 * 1024;

/**
 * Reads a multipart body that consists of one file in the field `file`, and hands the file over as it streams in.
 * Resolves with what `receive` made of it once the whole body was sound.
 * @throws AppError 400 INVALID_FILE for anything else, 413 TOO_LARGE
 */
export async function readMultipartFile<T>(
  request: IncomingMessage,
  maxBytes: number,
  receive: (file: IncomingFile) => Promise<T>,
): Promise<T> {
  refuseByHeaders(request, maxBytes);
  const parser = createParser(request);
  const received: Promise<T>[] = [];
  let stalled: NodeJS.Timeout | undefined;

  const parsed = new Promise<void>((resolve, reject) => {
    function stop(error: Error): void {
      request.unpipe(parser);
      parser.destroy();
      reject(error);
    }
    function watch(): void {
      clearTimeout(stalled);
      stalled = setTimeout(() => stop(refusal(`Nothing has arrived for ${STALL_MS / 1_000} s`)), STALL_MS);
    }

    watch();
    request.on('data', watch);
    request.once('error', () => stop(refusal('The connection was lost')));
    request.once('close', () => {
      if (!request.complete) stop(refusal('The connection was lost'));
    });
    parser.on('file', (field: string, stream: Readable, fileName: string) => {
      stream.on('error', () => {});
      if (field !== FIELD)
        return stop(refusal(`Send the file in the field "${FIELD}", got "${field.slice(0, 80)}"`));
      if (received.length > 0) return stop(refusal('Send one file at a time, got two'));
      const reception = receive({ fileName, bytes: stream });
      received.push(reception);
      // A refusal ends the reading; the rest of the body is of no use.
      reception.catch((error) => {
        stream.resume();
        stop(error);
      });
    });
    parser.on('partsLimit', () => stop(refusal('The form has too many parts')));
    parser.on('fieldsLimit', () => stop(refusal('The form has too many fields')));
    parser.on('error', (error: unknown) =>
      stop(isAppError(error) ? error : refusal('The form is damaged or cut off')),
    );
    parser.on('finish', resolve);
    request.pipe(parser);
  });

  try {
    await parsed;
    const [reception] = received;
    if (!reception) throw refusal(`The form has no file in the field "${FIELD}"`);
    return await reception;
  } finally {
    clearTimeout(stalled);
  }
}

function refuseByHeaders(request: IncomingMessage, maxBytes: number): void {
  const length = Number(request.headers['content-length'] ?? 0);
  if (length <= maxBytes + ENVELOPE_BYTES) return;
  throw new AppError('TOO_LARGE', `The file is larger than ${maxBytes} bytes`, { limit: maxBytes });
}

function createParser(request: IncomingMessage): InstanceType<typeof Busboy> {
  const type = request.headers['content-type'] ?? '';
  if (!/^multipart\/form-data\b/i.test(type)) {
    throw refusal(`The content type must be multipart/form-data, got ${type.slice(0, 80) || 'none'}`);
  }
  try {
    return new Busboy({
      headers: request.headers as BusboyHeaders,
      limits: { files: 2, fields: 10, parts: 12, fieldSize: 1_024, headerPairs: 20, fieldNameSize: 100 },
    });
  } catch {
    throw refusal('The form is damaged: it has no boundary');
  }
}

function refusal(message: string): AppError {
  return new AppError('INVALID_FILE', message);
}
