import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { EXIT, Failure } from '../failure.ts';
import { cleanText } from '../render/clean-text.ts';
import { API_HEADER, API_VERSION, requireSameApi } from './api-version.ts';
import { describeNetworkError, notJobber, timedOut } from './describe-network-error.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

export interface HttpRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
  /** Until the whole answer is there, in milliseconds. */
  readonly timeoutMs: number;
}

const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

/**
 * Sends one request and reads the whole answer. Redirects are not followed: a token belongs to the origin it is sent to.
 *
 * @throws a Failure that names the address; the signal's reason when it was aborted
 */
export async function sendRequest(request: HttpRequest): Promise<HttpAnswer> {
  const timeout = AbortSignal.timeout(request.timeoutMs);
  const signal = request.signal ? AbortSignal.any([request.signal, timeout]) : timeout;
  const { url, method, body } = request;
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = startRequest(url, { method, headers: { ...request.headers, ...length }, signal });
      outgoing.on('response', resolve).on('error', reject).end(body);
    });
    return await readAnswer(response, url);
  } catch (error) {
    if (request.signal?.aborted) throw request.signal.reason;
    if (timeout.aborted) throw timedOut(url, request.timeoutMs);
    throw describeNetworkError(error, url);
  }
}

/** Not imported: `import 'node:http'` loads undici as well, 30 ms that every command would pay. */
export function startRequest(url: URL, options: RequestOptions): ClientRequest {
  const { request } =
    url.protocol === 'https:'
      ? process.getBuiltinModule('node:https')
      : process.getBuiltinModule('node:http');
  const headers = { ...options.headers, [API_HEADER]: String(API_VERSION) };
  return request(url, { ...options, headers });
}

/** @throws a Failure when the answer is a redirect, too long, or of a platform of another version */
export async function readAnswer(response: IncomingMessage, url: URL): Promise<HttpAnswer> {
  const status = response.statusCode ?? 0;
  if (status >= 300 && status <= 399) {
    response.destroy();
    throw redirected(response.headers.location, url);
  }
  requireSameApi(response.headers[API_HEADER], url);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) {
      response.destroy();
      throw notJobber(url, `its answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return {
    status,
    contentType: response.headers['content-type'] ?? '',
    text: Buffer.concat(chunks).toString('utf8'),
  };
}

function redirected(location: string | undefined, url: URL): Failure {
  const to = location === undefined ? 'elsewhere' : `to ${cleanText(location).slice(0, 200)}`;
  return new Failure(
    `${url.origin} redirects ${to}, and redirects are not followed, so that your login goes nowhere else: give the final address (--server)`,
    { exitCode: EXIT.unavailable, reason: 'REDIRECTED' },
  );
}
