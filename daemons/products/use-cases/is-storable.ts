// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is what is looked for
const UNSTORABLE = /\u0000|\p{Cs}/u;

/** PostgreSQL can't store or compare NUL, and lone surrogates are no text. */
export function isStorable(text: string): boolean {
  return !UNSTORABLE.test(text);
}
