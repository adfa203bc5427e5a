// JavaScript's numbers keep some 15 digits. What a server sends is shown with all of its digits.

// Node has had these since version 21; the compiler's library does not know them yet.
const json = JSON as typeof JSON & { rawJSON(text: string): unknown };
type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;

/** As JSON.parse; a number that JavaScript would change becomes an object that JSON.stringify writes as it was. */
export function parseExactJson(text: string): unknown {
  const keepDigits: Reviver = (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && losesDigits(source, value)
      ? json.rawJSON(source)
      : value;
  return JSON.parse(text, keepDigits as Parameters<typeof JSON.parse>[1]);
}

function losesDigits(source: string, value: number): boolean {
  if (/^-?\d+$/.test(source)) return !Number.isSafeInteger(value);
  const digits = source
    .replace(/[eE].*$/, '')
    .replace(/\D/g, '')
    .replace(/^0+/, '');
  return digits.length > 15 || !Number.isFinite(value);
}
