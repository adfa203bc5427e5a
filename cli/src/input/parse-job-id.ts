import { parseNumber } from './parse-number.ts';

/** @returns the id of a job as it was typed; no request is made for what can't be one */
export function parseJobId(text: string, name = 'The id of a job'): number {
  return Number(parseNumber(name, text, { integer: true, minimum: 1, maximum: Number.MAX_SAFE_INTEGER }));
}

/** --limit: how many rows a list has. */
export function parseLimit(text: string): number {
  return Number(parseNumber('--limit', text, { integer: true, minimum: 1, maximum: 1000 }));
}
