import { usageFailure } from '../failure.ts';
import { cleanText } from '../render/clean-text.ts';
import { count } from '../render/units.ts';

export interface NumberRule {
  readonly integer: boolean;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly exclusiveMinimum?: number | undefined;
  readonly exclusiveMaximum?: number | undefined;
}

/**
 * Checks a number as it was typed: nothing is rounded, cut or guessed.
 *
 * @param name what the message names, for example --iterations
 * @returns the text, which is a JSON number
 */
export function parseNumber(name: string, text: string, rule: NumberRule): string {
  const problem = problemOf(text, rule);
  if (problem === undefined) return text;
  const shown = cleanText(text).slice(0, 60);
  throw usageFailure(`${name} must be ${describeRule(rule)}: "${shown}" ${problem}`, 'INVALID_NUMBER', {
    got: shown,
  });
}

export function describeRule(rule: NumberRule): string {
  const kind = rule.integer ? 'a whole number' : 'a number';
  const lower =
    rule.minimum !== undefined
      ? ` from ${count(rule.minimum)}`
      : rule.exclusiveMinimum !== undefined
        ? ` above ${count(rule.exclusiveMinimum)}`
        : '';
  const upper =
    rule.maximum !== undefined
      ? `${lower.startsWith(' from') ? ' to' : lower === '' ? ' up to' : ' and up to'} ${count(rule.maximum)}`
      : rule.exclusiveMaximum !== undefined
        ? `${lower === '' ? '' : ' and'} below ${count(rule.exclusiveMaximum)}`
        : '';
  return `${kind}${lower}${upper || (rule.minimum === undefined ? '' : ' or more')}`;
}

function problemOf(text: string, rule: NumberRule): string | undefined {
  if (text.trim() === '') return 'is empty';
  if (/^[-+]?0[xob]/i.test(text)) return 'is not written in decimal digits';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII
  if (/\p{Nd}/u.test(text.replace(/[\u0000-\u007f]/g, '')))
    return 'has digits of another script; type 0 to 9';
  if (/^-?\d{1,3}([,_' ]\d{3})+$/.test(text))
    return 'has separators between its digits; type the digits only';
  if (/^\+\d/.test(text)) return 'begins with +; leave it out';
  if (/^-?0\d/.test(text)) return 'begins with 0; leave it out';
  if (!/^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(text)) return 'is not a number';
  if (rule.integer) {
    if (/[eE]/.test(text)) return 'is written with an exponent; write all digits';
    if (text.includes('.')) return 'is not whole';
  }
  if (!Number.isFinite(Number(text))) return 'is too large';
  return outsideOf(text, rule);
}

function outsideOf(text: string, rule: NumberRule): string | undefined {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = rule;
  // Whole numbers are compared with all of their digits.
  const below = (limit: number) =>
    rule.integer && Number.isInteger(limit) ? BigInt(text) < BigInt(limit) : Number(text) < limit;
  const above = (limit: number) =>
    rule.integer && Number.isInteger(limit) ? BigInt(text) > BigInt(limit) : Number(text) > limit;
  if (minimum !== undefined && below(minimum)) return 'is too small';
  if (exclusiveMinimum !== undefined && !above(exclusiveMinimum)) return 'is too small';
  if (maximum !== undefined && above(maximum)) return 'is too large';
  if (exclusiveMaximum !== undefined && !below(exclusiveMaximum)) return 'is too large';
  return undefined;
}
