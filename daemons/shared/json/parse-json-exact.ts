import { type ExactJson, readJsonStrictly } from './read-json-strictly.ts';
import { surveyJson } from './survey-json.ts';

export interface ExactJsonOptions {
  /** How deep objects and arrays may nest; an array of objects is 2 deep. Default 32. */
  maxDepth?: number;
}

export const maximumDepth = 32;

/**
 * Property names that are refused: code that merges or assigns such a property reaches a prototype. They are refused
 * at any depth, however they are escaped.
 */
export function isForbiddenKey(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype';
}

/**
 * JSON.parse that loses nothing. What JSON.parse would silently change is refused as a problem with its path and line:
 * a number whose digits a 64-bit float does not keep, a name that stands twice in one object. Refused as well: the
 * names `__proto__`, `constructor`, `prototype`; U+0000 and lone surrogates in names and strings (PostgreSQL cannot
 * store them); nesting over `maxDepth`. Never throws; the first problem in the text is the one reported.
 */
export function parseJsonExact(text: string, options: ExactJsonOptions = {}): ExactJson {
  const maxDepth = options.maxDepth ?? maximumDepth;
  const survey = surveyJson(text, maxDepth);
  const strictly = () => readJsonStrictly(text, { maxDepth, isForbiddenKey });
  // V8 may return another name for one that is written with an escape (https://github.com/nodejs/node/issues/63785).
  if (survey.tooDeep || survey.inexact || survey.escapedNames) return strictly();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return strictly();
  }
  // Only an escape or ill-formed text can hide U+0000 or half a pair: JSON.parse itself refuses raw controls.
  const checkStrings = text.includes('\\u') || !text.isWellFormed();
  return countProperties(value, checkStrings) === survey.properties ? { ok: true, value } : strictly();
}

/** The number of properties in a parsed value, NaN when something in it is refused. Nesting is bounded by the survey. */
function countProperties(value: unknown, checkStrings: boolean): number {
  if (typeof value === 'string') return checkStrings && isUnstorable(value) ? Number.NaN : 0;
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === 'object' || typeof item === 'string') count += countProperties(item, checkStrings);
    }
    return count;
  }
  for (const key in value) {
    if (isForbiddenKey(key) || (checkStrings && isUnstorable(key))) return Number.NaN;
    const item = (value as Record<string, unknown>)[key];
    count++;
    if (typeof item === 'object' || (checkStrings && typeof item === 'string')) {
      count += countProperties(item, checkStrings);
    }
  }
  return count;
}

function isUnstorable(text: string): boolean {
  return !text.isWellFormed() || text.includes('\0');
}
