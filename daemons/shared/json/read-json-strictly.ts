import { describeText, describeValue } from './describe-value.ts';
import { isExactNumber } from './exact-number.ts';

/**
 * `syntax`: the brackets or quotes of the text cannot be relied on. `literal`: they can, but a word, a number or a
 * comma is none of JSON's. `value`: valid JSON that is refused (digits, names, characters, depth).
 */
export type JsonProblemKind = 'syntax' | 'literal' | 'value';

export interface JsonProblem {
  kind: JsonProblemKind;
  /** Where in the value: `price`, `tags[2].name`, '' for the value itself. At most about 80 characters. */
  path: string;
  /** The line in the text, from 1. */
  line: number;
  expected: string;
  got: string;
  /** One sentence of path, line, expected and got. */
  message: string;
}

export type ExactJson = { ok: true; value: unknown } | { ok: false; problem: JsonProblem };

interface StrictOptions {
  maxDepth: number;
  isForbiddenKey(key: string): boolean;
}

/** Carries the first problem out of the descent; never leaves this file. */
class Found extends Error {
  readonly problem: JsonProblem;
  constructor(problem: JsonProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/**
 * Reads a text by a strict descent that can say what is wrong with it, and where. Some ten times slower than
 * JSON.parse, so it is for the texts that JSON.parse or the checks around it refused, and for those that JSON.parse
 * cannot be trusted with. Recursion is bounded by `maxDepth`.
 */
export function readJsonStrictly(text: string, options: StrictOptions): ExactJson {
  const path: (string | number)[] = [];
  let at = 0;

  try {
    skipSpace();
    const value = readValue(1, 'a JSON value');
    skipSpace();
    if (at < text.length) fail('syntax', 'the end of the text', gotAt(at));
    return { ok: true, value };
  } catch (error) {
    if (error instanceof Found) return { ok: false, problem: error.problem };
    throw error;
  }

  function fail(kind: JsonProblemKind, expected: string, got: string, position = at): never {
    const line = lineAt(text, position);
    const where = describePath(path);
    const message = `${where === '' ? 'Line' : `${where}, line`} ${line}: expected ${expected}, got ${got}.`;
    throw new Found({ kind, path: where, line, expected, got, message });
  }

  function readValue(depth: number, expected: string): unknown {
    const c = text[at];
    if (c === '{' || c === '[') {
      if (depth > options.maxDepth) {
        fail('value', `values nested at most ${options.maxDepth} deep`, 'a deeper one');
      }
      return c === '{' ? readObject(depth) : readArray(depth);
    }
    return c === '"' ? readString('value') : readLiteral(expected);
  }

  function readObject(depth: number): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    at++;
    skipSpace();
    if (text[at] === '}') {
      at++;
      return value;
    }
    for (;;) {
      if (text[at] === '}') fail('literal', 'a property after the comma', '"}" (a trailing comma)');
      if (text[at] !== '"') fail('syntax', 'a property name in double quotes', gotAt(at));
      const from = at;
      const name = readString('name');
      path.push(name);
      if (options.isForbiddenKey(name)) {
        fail(
          'value',
          'a property name other than __proto__, constructor and prototype',
          describeValue(name),
          from,
        );
      }
      if (Object.hasOwn(value, name))
        fail('value', 'each property name once', `${describeValue(name)} again`, from);
      skipSpace();
      if (text[at] !== ':') fail('syntax', 'a colon after the property name', gotAt(at));
      at++;
      skipSpace();
      value[name] = readValue(depth + 1, 'a value');
      path.pop();
      skipSpace();
      if (text[at] === '}') break;
      if (text[at] !== ',') fail('syntax', 'a comma or "}" after the property', gotAt(at));
      at++;
      skipSpace();
    }
    at++;
    return value;
  }

  function readArray(depth: number): unknown[] {
    const value: unknown[] = [];
    at++;
    skipSpace();
    if (text[at] === ']') {
      at++;
      return value;
    }
    for (let index = 0; ; index++) {
      if (text[at] === ']') fail('literal', 'an element after the comma', '"]" (a trailing comma)');
      path.push(index);
      value.push(readValue(depth + 1, 'a value'));
      path.pop();
      skipSpace();
      if (text[at] === ']') break;
      if (text[at] !== ',') fail('syntax', 'a comma or "]" after the element', gotAt(at));
      at++;
      skipSpace();
    }
    at++;
    return value;
  }

  function readString(role: 'name' | 'value'): string {
    const from = at++;
    for (;;) {
      const c = text.charCodeAt(at);
      if (Number.isNaN(c)) fail('syntax', 'a closing double quote', 'the end of the text', from);
      if (c === 0x22) break;
      if (c < 0x20) fail('syntax', 'control characters in strings to be escaped', describeCharacter(c));
      if (c === 0x5c) readEscape();
      else at++;
    }
    at++;
    const value: string = JSON.parse(text.slice(from, at));
    const what = role === 'name' ? 'a property name' : 'text';
    if (value.includes('\0')) fail('value', `${what} without U+0000`, describeValue(value), from);
    if (!value.isWellFormed()) {
      fail('value', `${what} without lone surrogates (halves of a character)`, describeValue(value), from);
    }
    return value;
  }

  function readEscape(): void {
    const c = text[at + 1];
    if (c === 'u' && /^[0-9a-fA-F]{4}$/.test(text.slice(at + 2, at + 6))) at += 6;
    else if (c !== undefined && '"\\/bfnrt'.includes(c)) at += 2;
    else if (c === undefined) fail('syntax', 'a closing double quote', 'the end of the text');
    else if (c === 'u')
      fail('literal', 'four hexadecimal digits after \\u', describeValue(text.slice(at, at + 6)));
    else
      fail(
        'literal',
        'an escape that JSON has (\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u)',
        describeValue(text.slice(at, at + 2)),
      );
  }

  function readLiteral(expected: string): unknown {
    const from = at;
    while (at < text.length && isLiteralCode(text.charCodeAt(at))) at++;
    if (at === from) fail('syntax', expected, gotAt(from), from);
    const token = text.slice(from, at);
    if (token === 'null') return null;
    if (token === 'true' || token === 'false') return token === 'true';
    if (!isNumber(token)) {
      const numeric = /^[-+.]?[0-9.]/.test(token);
      fail('literal', numeric ? 'a number as JSON spells it' : expected, describeText(token), from);
    }
    if (!isExactNumber(token)) {
      fail('value', 'a number whose digits a 64-bit float keeps', describeText(token), from);
    }
    return Number(token);
  }

  function skipSpace(): void {
    for (; at < text.length; at++) {
      const c = text.charCodeAt(at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
    }
  }

  function gotAt(position: number): string {
    const c = text[position];
    if (c === undefined) return 'the end of the text';
    if (c === '/' && '/*'.includes(text[position + 1] ?? ' ')) return 'a comment, which JSON does not have';
    if (isLiteralCode(c.charCodeAt(0))) {
      let end = position;
      while (end < position + 100 && isLiteralCode(text.charCodeAt(end))) end++;
      return describeText(text.slice(position, end));
    }
    return describeCharacter(text.codePointAt(position) as number);
  }
}

/** Names what a person would see, or the code point where there is nothing to see. */
export function describeCharacter(code: number): string {
  if (code === 0x0a || code === 0x0d) return 'a line break';
  if (code === 0x09) return 'a tab';
  const visible = code > 0x20 && code < 0x7f;
  return visible
    ? JSON.stringify(String.fromCodePoint(code))
    : `the character U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Letters, digits, `_`, `$`, `+`, `-`, `.`: what a word or a number is made of. */
function isLiteralCode(c: number): boolean {
  return (
    (c >= 0x30 && c <= 0x39) ||
    (c >= 0x41 && c <= 0x5a) ||
    (c >= 0x61 && c <= 0x7a) ||
    c === 0x5f ||
    c === 0x24 ||
    c === 0x2b ||
    c === 0x2d ||
    c === 0x2e
  );
}

/** JSON's grammar of numbers; JSON.parse accepts a word of these characters exactly when it is a number. */
function isNumber(token: string): boolean {
  const first = token.charCodeAt(0);
  if (first !== 0x2d && (first < 0x30 || first > 0x39)) return false;
  try {
    return typeof JSON.parse(token) === 'number';
  } catch {
    return false;
  }
}

function lineAt(text: string, position: number): number {
  let line = 1;
  for (let i = text.indexOf('\n'); i >= 0 && i < position; i = text.indexOf('\n', i + 1)) line++;
  return line;
}

function describePath(path: (string | number)[]): string {
  let described = '';
  for (const step of path) {
    if (typeof step === 'number') described += `[${step}]`;
    else if (/^[A-Za-z_$][\w$-]{0,63}$/.test(step)) described += described === '' ? step : `.${step}`;
    else described += `[${describeValue(step)}]`;
    if (described.length > 80) break;
  }
  return describeText(described);
}
