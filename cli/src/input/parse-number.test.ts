import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseNumber } from './parse-number.ts';

const upTo = { integer: true, minimum: 0, maximum: 100_000 };

test.each([
  ['abc', 'is not a number'],
  ['0x10', 'is not written in decimal digits'],
  ['2.5', 'is not whole'],
  ['-5', 'is too small'],
  ['1e400', 'is written with an exponent'],
  ['１２', 'has digits of another script'],
  ['٣', 'has digits of another script'],
  ['100001', 'is too large'],
  ['1,000', 'has separators'],
  ['+7', 'begins with +'],
  ['007', 'begins with 0'],
  ['', 'is empty'],
  [' ', 'is empty'],
  ['NaN', 'is not a number'],
  ['Infinity', 'is not a number'],
  ['1_000', 'has separators'],
])('%j is refused: it %s', (text, why) => {
  expect(() => parseNumber('--iterations', text, upTo)).toThrow(
    `--iterations must be a whole number from 0 to 100,000: "${text}" ${why}`,
  );
});

test('a number that does not fit into a double is refused where fractions are allowed', () => {
  expect(() => parseNumber('--price', '1e400', { integer: false })).toThrow('"1e400" is too large');
});

test('whole numbers within the limits are accepted as they were typed, all others refused', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), (value) => {
      const rule = { integer: true, minimum: -9_007_199_254_740_991, maximum: 9_007_199_254_740_991 };
      const inside = value >= -9_007_199_254_740_991n && value <= 9_007_199_254_740_991n;
      if (inside) expect(parseNumber('n', String(value), rule)).toBe(String(value));
      else expect(() => parseNumber('n', String(value), rule)).toThrow();
    }),
  );
});

test('decimals keep their digits', () => {
  expect(parseNumber('--price', '0.1000000000000000055', { integer: false, minimum: 0 })).toBe(
    '0.1000000000000000055',
  );
});

test('control characters of what was typed do not reach the message', () => {
  expect(() => parseNumber('n', '\u001b[2J1', upTo)).toThrow('"1" is not a number');
});
