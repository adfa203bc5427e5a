import { usageFailure } from '../failure.ts';
import { cleanText } from '../render/clean-text.ts';
import { count } from '../render/units.ts';

/** Of one tag, in characters. */
const LONGEST_TAG = 100;
const MOST_TAGS = 20;
const LONGEST_KEY = 255;

/** --tag: words to find jobs by; each once. */
export function parseTags(texts: readonly string[]): string[] {
  const tags = [...new Set(texts)];
  if (tags.length > MOST_TAGS) {
    throw usageFailure(
      `--tag can be given at most ${MOST_TAGS} times: here are ${count(tags.length)} tags`,
      'TOO_MANY_TAGS',
    );
  }
  return tags.map((tag) => parseLabel('--tag', tag, LONGEST_TAG));
}

/** --unique-for, --idempotency-key. */
export function parseKey(name: string, text: string): string {
  return parseLabel(name, text, LONGEST_KEY);
}

function parseLabel(name: string, text: string, longest: number): string {
  const problem = problemOf(text, longest);
  if (problem === undefined) return text;
  const shown = cleanText(text).slice(0, 40);
  throw usageFailure(
    `${name} must be 1 to ${longest} printable characters: "${shown}" ${problem}`,
    'INVALID_LABEL',
  );
}

function problemOf(text: string, longest: number): string | undefined {
  if (text.trim() === '') return 'is empty';
  const [hidden] = /\p{C}/u.exec(text) ?? [];
  if (hidden !== undefined) {
    const code = (hidden.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    return `has U+${code}, which can't be seen`;
  }
  return text.length > longest ? `has ${count(text.length)}` : undefined;
}
