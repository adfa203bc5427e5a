import { usageFailure } from '../failure.ts';
import { count } from '../render/units.ts';
import { parseNumber } from './parse-number.ts';

/** @returns the id of a job as it was typed; no request is made for what can't be one */
export function parseJobId(text: string, name = 'The id of a job'): number {
  return Number(parseNumber(name, text, { integer: true, minimum: 1, maximum: Number.MAX_SAFE_INTEGER }));
}

/** Rows of a list that the platform gives at once. */
export const MOST_ROWS = 200;

/** --limit: how many rows a list has. */
export function parseLimit(text: string): number {
  return Number(parseNumber('--limit', text, { integer: true, minimum: 1, maximum: MOST_ROWS }));
}

const MANY = 1000;

/** Several ids, each once. All are checked before anything is done with the first. */
export function parseJobIds(texts: readonly string[]): number[] {
  const ids = [...new Set(texts.map((text) => parseJobId(text)))];
  if (ids.length <= MANY) return ids;
  throw usageFailure(`At most ${count(MANY)} jobs can be named at once: these are ${count(ids.length)}`);
}
