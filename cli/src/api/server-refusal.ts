import { asTyped } from '../environment.ts';
import { EXIT, type ExitCode, Failure, usageFailure } from '../failure.ts';
import { cleanText } from '../render/clean-text.ts';
import { notJobber } from './describe-network-error.ts';
import { parseExactJson } from './exact-json.ts';
import type { HttpAnswer } from './http-request.ts';

/** JSON that a lenient parser takes and Jobs does not: a property twice, or digits that would be lost. */
const ITEMS_PROBLEM = /^The request's JSON is refused: variables\.input\.data(\S*), line \d+: (.*)$/;

interface Refusal {
  message: string;
  code: number | undefined;
  reason: string | undefined;
  details: unknown;
}

/** The JSON object of an answer. @throws a Failure when a daemon refused, or when no daemon of jobber answered */
export function readJsonAnswer(answer: HttpAnswer, url: URL): Record<string, unknown> {
  const value = /\bjson\b/i.test(answer.contentType) ? tryParse(answer.text) : undefined;
  if (!isRecord(value)) throw noJson(answer, url);
  if (Array.isArray(value['errors']) && value['errors'].length > 0) {
    throw toFailure(graphqlRefusal(value['errors'][0]), answer.status, url);
  }
  if (answer.status >= 400) {
    if (typeof value['message'] !== 'string') throw noJson(answer, url);
    throw toFailure(restRefusal(value), answer.status, url);
  }
  return value;
}

function tryParse(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

function noJson(answer: HttpAnswer, url: URL): Failure {
  if (answer.status === 502 || answer.status === 503 || answer.status === 504) {
    return new Failure(`${url.origin} is not available at the moment (HTTP ${answer.status}): try again`, {
      exitCode: EXIT.unavailable,
      reason: 'UNAVAILABLE',
      code: answer.status,
    });
  }
  const html = /^\s*</.test(answer.text) || /html/i.test(answer.contentType);
  const kind = html ? 'an HTML page' : answer.text === '' ? 'nothing' : 'something that is not JSON';
  return notJobber(url, `${url.pathname} gave ${kind} (HTTP ${answer.status})`);
}

function graphqlRefusal(error: unknown): Refusal {
  if (!isRecord(error))
    return { message: 'Unknown error', code: undefined, reason: undefined, details: undefined };
  const extensions = isRecord(error['extensions']) ? error['extensions'] : {};
  return restRefusal({ ...extensions, message: error['message'] });
}

function restRefusal(value: Record<string, unknown>): Refusal {
  const { message, code, reason, details } = value;
  return {
    message: typeof message === 'string' ? message : 'Unknown error',
    code: typeof code === 'number' ? code : undefined,
    reason: typeof reason === 'string' ? reason : undefined,
    details,
  };
}

function toFailure(refusal: Refusal, status: number, url: URL): Failure {
  const code = refusal.code ?? Math.max(status, 400);
  const message = cleanText(refusal.message)
    .replace(/[.\s]+$/, '')
    .slice(0, 1000);
  const [, field = '', problem] = ITEMS_PROBLEM.exec(message) ?? [];
  if (problem !== undefined) {
    const [, index = '0', name = ''] = /^(?:\[(\d+)\])?\.?(.*)$/.exec(field) ?? [];
    const where = `Item ${index}${name === '' ? '' : `, ${name}`}`;
    return usageFailure(`${where}: ${problem}`, 'INVALID_DATA', refusal.details);
  }
  return new Failure(`${message}${advice(code, refusal, url)}`, {
    exitCode: exitCodeOf(code, refusal.reason),
    reason: cleanText(refusal.reason ?? `HTTP_${code}`),
    code,
    details: refusal.details,
  });
}

function advice(code: number, refusal: Refusal, url: URL): string {
  if (/try again/i.test(refusal.message)) return '';
  if (code === 401) {
    return refusal.reason === 'CREDENTIALS_INVALID'
      ? ` (${url.origin}): check the email address and the password`
      : ` (${url.origin}): run ${asTyped('login')}`;
  }
  if (code === 429) return `: wait${waitOf(refusal.details)} and try again`;
  if (code === 503) return ` (${url.origin}): try again`;
  if (code === 500) return ` (${url.origin}): its log says why`;
  return '';
}

function waitOf(details: unknown): string {
  const seconds = isRecord(details) ? (details['retryAfterSeconds'] ?? details['retryAfter']) : undefined;
  return typeof seconds === 'number' ? ` ${Math.ceil(seconds)} s` : '';
}

/** Malformed requests are the CLI's fault rather than the user's: they count as refused. */
function exitCodeOf(code: number, reason: string | undefined): ExitCode {
  if (code === 400) {
    return reason === 'MALFORMED_REQUEST' || reason === 'QUERY_TOO_COMPLEX' ? EXIT.refused : EXIT.usage;
  }
  if (code === 401) return EXIT.unauthenticated;
  if (code === 403 || code === 404) return EXIT.forbidden;
  if (code === 502 || code === 503 || code === 504) return EXIT.unavailable;
  return EXIT.refused;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
