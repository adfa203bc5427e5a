import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../failure.ts';
import { notJobber, RETRYABLE_REASONS } from './describe-network-error.ts';
import { sendRequest } from './http-request.ts';
import { readJsonAnswer } from './server-refusal.ts';

/** Longer than any daemon takes to answer or to refuse (5 s). */
const TIMEOUT_MS = 15_000;
const RETRY_PAUSES_MS = [100, 400, 1_500];

/** JSON text that is put into the variables as it is, so that no digit of a user's data changes. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export interface GraphqlRequest {
  readonly url: URL;
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** True for reads and for what carries an idempotency key: a lost answer may be asked for again. */
  readonly repeatable: boolean;
}

/** @returns the `data` of the answer @throws a Failure: a refusal of the server, or why there is no answer */
export async function postGraphql<T>(request: GraphqlRequest): Promise<T> {
  for (const pause of RETRY_PAUSES_MS) {
    try {
      return await postOnce<T>(request);
    } catch (error) {
      const again = request.repeatable && error instanceof Failure && RETRYABLE_REASONS.has(error.reason);
      if (!again) throw error;
      await delay(pause, undefined, { signal: request.signal });
    }
  }
  return postOnce<T>(request);
}

async function postOnce<T>({ url, query, variables = {}, token, signal }: GraphqlRequest): Promise<T> {
  const answer = await sendRequest({
    url,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: `{"query":${JSON.stringify(query)},"variables":${toJson(variables)}}`,
    signal,
    timeoutMs: TIMEOUT_MS,
  });
  const { data } = readJsonAnswer(answer, url);
  if (typeof data !== 'object' || data === null) throw notJobber(url, `${url.pathname} gave no data`);
  return data as T;
}

function toJson(value: unknown): string {
  if (value instanceof JsonText) return value.text;
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return `{${fields.map(([key, inner]) => `${JSON.stringify(key)}:${toJson(inner)}`).join(',')}}`;
}
