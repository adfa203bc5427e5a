import { stripVTControlCharacters } from 'node:util';

// Control characters (C0, DEL, C1), and those that reorder or hide text: what a server sends must not steer a terminal.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Text from outside as one line that is safe to print on a terminal. */
export function cleanText(text: string): string {
  return stripVTControlCharacters(text).replace(/\s+/g, ' ').replace(UNSAFE, '').replace(/ {2,}/g, ' ');
}

/** The same for any value of a GraphQL answer: numbers with more digits than JavaScript keeps stay as they were sent. */
export function cleanValue(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return cleanText(value);
  if (isRawNumber(value)) return cleanText(value.rawJSON);
  return cleanText(typeof value === 'object' ? JSON.stringify(value) : String(value));
}

function isRawNumber(value: unknown): value is { rawJSON: string } {
  return typeof value === 'object' && value !== null && 'rawJSON' in value && Object.isFrozen(value);
}

/** JSON for stdout; characters that a terminal might obey are written as escapes, so the data stays the same. */
export function toJsonText(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
