import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { usageFailure } from '../failure.ts';
import type { CheckedFile } from '../input/check-file.ts';
import { daemonUrl } from '../session/daemon-url.ts';
import type { Session } from '../session/session.ts';
import { describeNetworkError, notJobber } from './describe-network-error.ts';
import { type HttpAnswer, readAnswer, startRequest } from './http-request.ts';
import { readJsonAnswer } from './server-refusal.ts';

export interface Upload {
  readonly message: string;
  readonly filename: string;
  readonly originalName: string;
  readonly size: number;
  readonly sha256: string;
  readonly records: number;
  readonly uploadedAt: string;
}

/** Without any progress for that long, in milliseconds; indexing a large file may take a while after the last byte. */
const SILENCE_MS = 120_000;

/**
 * Streams a file to Jobs; memory does not grow with its size.
 *
 * @param onProgress told how many bytes of the file were handed to the network
 */
export function uploadFile(
  session: Session,
  file: CheckedFile,
  onProgress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Upload> {
  const url = daemonUrl(session.target, 'jobs', '/jobs/uploads/file');
  return session.withToken(async (token) => {
    const answer = await sendFile(url, token, file, onProgress, signal);
    const upload = readJsonAnswer(answer, url);
    if (typeof upload['filename'] !== 'string') throw notJobber(url, 'its answer names no uploaded file');
    return upload as unknown as Upload;
  });
}

function sendFile(
  url: URL,
  token: string,
  file: CheckedFile,
  onProgress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const boundary = `jobber-${randomUUID()}`;
  const head = Buffer.from(
    `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${quotable(file.name)}"\r\ncontent-type: ${file.contentType}\r\n\r\n`,
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  return new Promise((resolve, reject) => {
    const request = startRequest(url, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${token}`,
        'content-type': `multipart/form-data; boundary=${boundary}`,
        'content-length': head.length + file.size + tail.length,
      },
      signal,
    });
    const content = createReadStream(file.path, { end: file.size - 1, highWaterMark: 256 * 1024 });
    let answered = false;
    let sent = 0;

    const fail = (error: unknown) => {
      content.destroy();
      request.destroy();
      reject(signal.aborted ? signal.reason : describeNetworkError(error, url, 'file'));
    };
    request.setTimeout(SILENCE_MS, () => fail(Object.assign(new Error('silence'), { code: 'ETIMEDOUT' })));
    request.on('response', (response: IncomingMessage) => {
      // A refusal may come before everything is sent; what is left need not be sent then.
      answered = true;
      readAnswer(response, url)
        .then(resolve, fail)
        .finally(() => {
          content.destroy();
          request.destroy();
        });
    });
    request.on('error', (error) => {
      if (!answered) fail(error);
    });
    request.write(head);
    content.on('data', (chunk) => {
      sent += chunk.length;
      onProgress(sent);
    });
    content.on('error', (error) =>
      fail(usageFailure(`${file.path} can't be read: ${error.message}`, 'FILE_UNREADABLE')),
    );
    content.on('end', () => {
      if (sent === file.size) request.end(tail);
      else fail(usageFailure(`${file.path} became shorter while it was read: try again`, 'FILE_CHANGED'));
    });
    content.pipe(request, { end: false });
  });
}

/** As browsers write file names in multipart forms. */
function quotable(name: string): string {
  return name.replace(/"/g, '%22').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}
