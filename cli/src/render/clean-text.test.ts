import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cleanText, cleanValue, toJsonText } from './clean-text.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

test('nothing that a server sends steers the terminal', () => {
  expect(cleanText('a\u001b[31mred\u001b[0m\u0007b')).toBe('aredb');
  expect(cleanText('title\u001b]0;owned\u0007!')).toBe('title!');
  expect(cleanText('a\r\nb\tc')).toBe('a b c');
  expect(cleanText('user\u202Egpj.exe')).toBe('usergpj.exe');
});

test('no text keeps an unsafe character, and clean text stays as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const clean = cleanText(text);
      expect(clean).not.toMatch(UNSAFE);
      expect(cleanText(clean)).toBe(clean);
    }),
  );
});

test('JSON on stdout is safe too, and still the same data', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = toJsonText({ text });
      expect(json.replace(/\n/g, '')).not.toMatch(UNSAFE);
      expect(JSON.parse(json)).toEqual({ text });
    }),
  );
});

test('values of any kind are shown on one line', () => {
  expect(cleanValue(null)).toBe('');
  expect(cleanValue({ a: ['\u001b'] })).toBe('{"a":["\\u001b"]}');
});

test('spaces around an unsafe character become one', () => {
  expect(cleanText('a\t\u0000\tb')).toBe('a b');
});
