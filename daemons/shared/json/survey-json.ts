import { isExactNumber } from './exact-number.ts';

/** What one pass over a JSON text tells without parsing it. The text need not be valid. */
export interface JsonSurvey {
  /** Colons outside strings: in a valid text, the number of properties as written. */
  properties: number;
  /** Whether objects and arrays nest deeper than allowed. */
  tooDeep: boolean;
  /** Whether some number loses digits as a double (or is no number at all). */
  inexact: boolean;
  /** Whether some property name is written with an escape. */
  escapedNames: boolean;
}

/**
 * Scans the text once, before JSON.parse sees it, for what JSON.parse does not tell: how deep it nests, how many
 * properties are written (two of one name become one), how their names are spelled, and whether each number keeps its
 * digits.
 */
export function surveyJson(text: string, maxDepth: number): JsonSurvey {
  const end = text.length;
  let properties = 0;
  let depth = 0;
  let inexact = false;
  let escapedNames = false;
  const escapes = text.includes('\\');
  let stringFrom = 0;
  let stringTo = 0;
  let i = 0;
  while (i < end) {
    const c = text.charCodeAt(i);
    if (c === 0x22) {
      stringFrom = i;
      i = stringTo = stringEnd(text, i + 1, end);
    } else if (c === 0x3a) {
      properties++;
      // The last string before a colon is the name.
      if (escapes && !escapedNames) escapedNames = text.slice(stringFrom, stringTo).includes('\\');
      i++;
    } else if (c === 0x7b || c === 0x5b) {
      if (++depth > maxDepth) return { properties, tooDeep: true, inexact, escapedNames };
      i++;
    } else if (c === 0x7d || c === 0x5d) {
      depth--;
      i++;
    } else if ((c >= 0x30 && c <= 0x39) || c === 0x2d) {
      const from = i++;
      let exponent = false;
      for (; i < end; i++) {
        const n = text.charCodeAt(i);
        if ((n >= 0x30 && n <= 0x39) || n === 0x2e || n === 0x2b || n === 0x2d) continue;
        if (n !== 0x65 && n !== 0x45) break;
        exponent = true;
      }
      if ((exponent || i - from > 15) && !isExactNumber(text.slice(from, i))) inexact = true;
    } else {
      i++;
    }
  }
  return { properties, tooDeep: false, inexact, escapedNames };
}

/** The position after the closing quote of the string whose first character is at `from`. */
function stringEnd(text: string, from: number, end: number): number {
  // Most strings are short; the native search pays its call only on long ones.
  const near = Math.min(from + 24, end);
  let i = from;
  for (; i < near; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) return i + 1;
    if (c === 0x5c) i++;
  }
  while (i < end) {
    const quote = text.indexOf('"', i);
    if (quote < 0) return end;
    let backslashes = 0;
    while (quote - 1 - backslashes >= i && text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
    i = quote + 1;
  }
  return end;
}
