/** The longest text that `describeValue` returns, in UTF-16 units. */
export const describedLength = 80;

/** Controls, invisible and bidirectional format characters, unassigned ones and separators: nothing that a terminal obeys. */
const unsafe = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * Renders any value for the `got` of a problem: JSON-escaped, on one line, without control characters, at most 80
 * characters (an ellipsis marks what was cut). Looks at no more of the value than it shows, so a value of megabytes,
 * a deep or a cyclic one costs nothing.
 */
export function describeValue(value: unknown): string {
  return shorten(render(value, describedLength + 1));
}

/** Text as it stands (not quoted), made safe and short in the same way. */
export function describeText(text: string): string {
  return shorten(escapeUnsafe(text.slice(0, describedLength + 1)));
}

function render(value: unknown, budget: number): string {
  if (typeof value === 'string') return escapeUnsafe(JSON.stringify(value.slice(0, budget)));
  if (Array.isArray(value)) {
    return renderList(value, budget, '[', ']', (item, left) => render(item, left));
  }
  if (value !== null && typeof value === 'object') {
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid date' : value.toISOString();
    const fields = value as Record<string, unknown>;
    return renderList(ownKeys(fields), budget, '{', '}', (key, left) => {
      const name = `${render(key, left)}:`;
      return name + render(fields[key], left - name.length);
    });
  }
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint')
    return value > -(10n ** 80n) && value < 10n ** 80n ? String(value) : 'a big integer';
  if (Object.is(value, -0)) return '-0';
  return escapeUnsafe(String(value).slice(0, budget));
}

function renderList<T>(
  items: Iterable<T>,
  budget: number,
  open: string,
  close: string,
  renderItem: (item: T, left: number) => string,
): string {
  let text = open;
  for (const item of items) {
    if (text.length >= budget) return text;
    if (text.length > 1) text += ',';
    text += renderItem(item, budget - text.length);
  }
  return text + close;
}

function* ownKeys(fields: Record<string, unknown>): Generator<string> {
  for (const key in fields) if (Object.hasOwn(fields, key)) yield key;
}

function escapeUnsafe(text: string): string {
  return text.replace(unsafe, (character) => {
    let escaped = '';
    for (let i = 0; i < character.length; i++) {
      escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
    }
    return escaped;
  });
}

function shorten(text: string): string {
  if (text.length <= describedLength) return text;
  let end = describedLength - 1;
  // Never half of a pair: the result stays well-formed text.
  if (/[\ud800-\udbff]/.test(text.charAt(end - 1))) end--;
  return `${text.slice(0, end)}…`;
}
