import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeValue, isExactNumber, isForbiddenKey, parseJsonExact } from './index.ts';
import { readJsonStrictly } from './read-json-strictly.ts';

function problemOf(text: string, maxDepth?: number) {
  const result = parseJsonExact(text, maxDepth === undefined ? {} : { maxDepth });
  return result.ok ? undefined : result.problem;
}

const storableText = fc
  .string({ unit: 'binary' })
  .filter((text) => text.isWellFormed() && !text.includes('\0'));
const ordinaryKey = storableText.filter((key) => !isForbiddenKey(key));
const ordinaryNumber = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const { ordinary } = fc.letrec((tie) => ({
  ordinary: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    storableText,
    ordinaryNumber,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('ordinary'), { maxLength: 5 }),
    fc.dictionary(ordinaryKey, tie('ordinary'), { maxKeys: 5, noNullPrototype: true }),
  ),
}));

test('ordinary values are read exactly as JSON.parse reads them, written short or over several lines', () => {
  fc.assert(
    fc.property(ordinary, fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const written = normal(value);
      expect(parseJsonExact(text, { maxDepth: 200 })).toEqual({ ok: true, value: written });
      expect(readJsonStrictly(text, { maxDepth: 200, isForbiddenKey })).toEqual({ ok: true, value: written });
    }),
    { numRuns: 1000 },
  );
});

/** What a round trip through JSON may change: -0 is written as 0. (JSON.parse itself is no oracle: see the escaped names.) */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, normal(item)]));
}

test('names written with escapes are read as they are, also where JSON.parse mistakes them for an earlier name', () => {
  expect(parseJsonExact('{"h":[],"\\\\":0}')).toEqual({ ok: true, value: { h: [], '\\': 0 } });
  JSON.parse('{"h":[],"\\\\":0}');
  expect(parseJsonExact('{"h":1,"\\"":2}')).toEqual({ ok: true, value: { h: 1, '"': 2 } });
  expect(parseJsonExact('{"h":1,"\\n":"\\u00e9"}')).toEqual({ ok: true, value: { h: 1, '\n': 'é' } });
});

test('any text has the same outcome as by the strict descent, and never throws', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '"a":',
    '"a":1',
    '1',
    '01',
    '-',
    '1e400',
    '9007199254740993',
    'NaN',
    'null',
    ' ',
    '\n',
    '//',
    '\\',
    '\\u0000',
    '"\\ud800"',
    '"__proto__":2',
    '"\\u0061":3',
    '\u00e9',
    'tru',
    '0.1',
    '\0',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const text = parts.join('');
      const result = parseJsonExact(text, { maxDepth: 3 });
      expect(result).toEqual(readJsonStrictly(text, { maxDepth: 3, isForbiddenKey }));
      if (result.ok) expect(() => JSON.parse(text)).not.toThrow();
    }),
    { numRuns: 5000 },
  );
});

test('a decimal keeps every digit or is refused with its path and its digits', () => {
  const digits = fc.stringMatching(/^(0|[1-9]\d{0,24})(\.\d{1,24})?([eE][+-]?\d{1,3})?$/);
  fc.assert(
    fc.property(digits, fc.boolean(), (unsigned, negative) => {
      const token = negative ? `-${unsigned}` : unsigned;
      const result = parseJsonExact(`{"a":[${token}]}`);
      if (result.ok) {
        expect(sameDecimal(token, String((result.value as { a: [number] }).a[0]))).toBe(true);
      } else {
        expect(sameDecimal(token, String(Number(token)))).toBe(false);
        expect(result.problem).toMatchObject({ path: 'a[0]', got: token, kind: 'value' });
      }
    }),
    { numRuns: 2000 },
  );
});

/** An oracle of its own: both as integers over one power of ten. */
function sameDecimal(a: string, b: string): boolean {
  if (!/\d/.test(b)) return false;
  const parse = (text: string) => {
    const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
    const [whole = '', fraction = ''] = mantissa.split('.');
    return { digits: BigInt(whole + fraction || '0'), power: Number(exponent) - fraction.length };
  };
  const x = parse(a);
  const y = parse(b);
  const low = Math.min(x.power, y.power);
  return x.digits * 10n ** BigInt(x.power - low) === y.digits * 10n ** BigInt(y.power - low);
}

test.each([
  '9007199254740993',
  '110.530000000000000001',
  '1e400',
  '-1e400',
  '1e-400',
  '0.1000000000000000055511151231257827',
])('the number %s is refused, because a double would change it', (digits) => {
  const problem = problemOf(`{\n "price": ${digits}}`);
  expect(problem).toMatchObject({ path: 'price', line: 2, got: digits, kind: 'value' });
  expect(problem?.message).toBe(
    `price, line 2: expected a number whose digits a 64-bit float keeps, got ${digits}.`,
  );
});

test.each([
  '0',
  '-0',
  '1.10',
  '110.53',
  '1e2',
  '1E+2',
  '12.50',
  '9007199254740992',
  '2147483648',
  '1e23',
  '5e-324',
  '1.7976931348623157e308',
  '0.30000000000000004',
  '100000000000000000000',
  '0e99999999999',
])('the number %s keeps its value and is accepted', (digits) => {
  expect(isExactNumber(digits)).toBe(true);
  expect(parseJsonExact(digits)).toEqual({ ok: true, value: JSON.parse(digits) });
});

test('a name that stands twice in one object is refused, however it is escaped', () => {
  expect(problemOf('{"a":{"b":1,"b":2}}')).toMatchObject({ path: 'a.b', got: '"b" again' });
  expect(problemOf('{"a":1,\n"\\u0061":2}')).toMatchObject({
    path: 'a',
    line: 2,
    expected: 'each property name once',
  });
  expect(problemOf('[{"a":1},{"a":2}]')).toBeUndefined();
});

test.each(['__proto__', 'constructor', 'prototype', '\\u005f_proto__'])(
  'the name %s is refused at any depth',
  (key) => {
    const problem = problemOf(`[{"a":{"${key}":{"polluted":true}}}]`);
    expect(problem).toMatchObject({ kind: 'value', path: `[0].a.${JSON.parse(`"${key}"`)}` });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  },
);

test('nesting over the limit is refused, and a bomb of a million brackets does not overflow the stack', () => {
  expect(problemOf('[[[1]]]', 3)).toBeUndefined();
  expect(problemOf('[[[[1]]]]', 3)).toMatchObject({
    expected: 'values nested at most 3 deep',
    path: '[0][0][0]',
  });
  for (const bomb of ['['.repeat(1e6), '{"a":'.repeat(1e6), `${'['.repeat(1e6)}${']'.repeat(1e6)}`]) {
    expect(problemOf(bomb)).toMatchObject({ expected: 'values nested at most 32 deep' });
  }
});

test('U+0000 and lone surrogates are refused in values and in names, escaped or raw', () => {
  expect(problemOf('{"a":"x\\u0000"}')).toMatchObject({
    path: 'a',
    got: '"x\\u0000"',
    expected: 'text without U+0000',
  });
  expect(problemOf('["\\ud83d"]')).toMatchObject({ path: '[0]', got: '"\\ud83d"' });
  expect(problemOf('{"\\udc00":1}')).toMatchObject({
    expected: expect.stringContaining('a property name without lone'),
  });
  expect(problemOf('["\ud83d"]')).toMatchObject({ path: '[0]' });
  expect(problemOf('["\0"]')).toMatchObject({ kind: 'syntax' });
  expect(problemOf('["\\ud83d\\ude00", "\ud83d\ude00"]')).toBeUndefined();
});

test.each([
  ['{"a":1,}', 'literal', 'a property after the comma', '"}" (a trailing comma)'],
  ['[1,]', 'literal', 'an element after the comma', '"]" (a trailing comma)'],
  ['{"a":NaN}', 'literal', 'a value', 'NaN'],
  ['{"a":-Infinity}', 'literal', 'a value', '-Infinity'],
  ['{"a":01}', 'literal', 'a number as JSON spells it', '01'],
  ['{"a":.5}', 'literal', 'a number as JSON spells it', '.5'],
  ['{"a":+1}', 'literal', 'a number as JSON spells it', '+1'],
  ['{"a":1.}', 'literal', 'a number as JSON spells it', '1.'],
  ['{"a":0x10}', 'literal', 'a number as JSON spells it', '0x10'],
  ['{"a":None}', 'literal', 'a value', 'None'],
  ['{"a":1 // one\n}', 'syntax', 'a comma or "}" after the property', 'a comment, which JSON does not have'],
  ['/* all */{}', 'syntax', 'a JSON value', 'a comment, which JSON does not have'],
  ["{'a':1}", 'syntax', 'a property name in double quotes', '"\'"'],
  ['{a:1}', 'syntax', 'a property name in double quotes', 'a'],
  ['{"a" 1}', 'syntax', 'a colon after the property name', '1'],
  ['{"a":1 "b":2}', 'syntax', 'a comma or "}" after the property', '"\\""'],
  ['{"a":"x', 'syntax', 'a closing double quote', 'the end of the text'],
  ['{"a":"x\ny"}', 'syntax', 'control characters in strings to be escaped', 'a line break'],
  ['{"a":"\\x41"}', 'literal', expect.stringContaining('an escape that JSON has'), '"\\\\x"'],
  ['{"a":"\\u12"}', 'literal', 'four hexadecimal digits after \\u', expect.any(String)],
  ['{"a":1}{', 'syntax', 'the end of the text', '"{"'],
  ['{"a":', 'syntax', 'a value', 'the end of the text'],
  ['', 'syntax', 'a JSON value', 'the end of the text'],
  ['\u00a01', 'syntax', 'a JSON value', 'the character U+00A0'],
])('%j is refused with what was expected and what was there', (text, kind, expected, got) => {
  expect(problemOf(text)).toMatchObject({ kind, expected, got });
});

test('a problem names the path and the line, and stays short with hostile names and values', () => {
  expect(problemOf('{\n"tags":[1,\n{"name of it":x}]}')?.message).toBe(
    'tags[1]["name of it"], line 3: expected a value, got x.',
  );
  const hostile = problemOf(`{"${'k'.repeat(1e6)}\\u001b[31m":${'9'.repeat(1e6)}}`);
  expect(hostile?.message.length).toBeLessThan(300);
  expect(hostile?.message).not.toMatch(/\p{Cc}/u);
});

test('what is described is one short line that no terminal obeys', () => {
  expect(describeValue('a\u001b[2J\n\u202e\u0085')).toBe('"a\\u001b[2J\\n\\u202e\\u0085"');
  expect(describeValue({ a: [1, null, 'x'], b: { c: true } })).toBe('{"a":[1,null,"x"],"b":{"c":true}}');
  expect(describeValue('x'.repeat(1e6))).toHaveLength(80);
  expect([undefined, null, Number.NaN, -0, 10n ** 90n, () => 1, Symbol('s')].map(describeValue)).toEqual([
    'undefined',
    'null',
    'NaN',
    '-0',
    'a big integer',
    'a function',
    'Symbol(s)',
  ]);
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  expect(describeValue(cyclic).length).toBeLessThanOrEqual(80);
  fc.assert(
    fc.property(
      fc.anything({ withBigInt: true, withNullPrototype: true }),
      fc.string({ unit: 'binary', minLength: 40 }),
      (value, text) => {
        for (const described of [
          describeValue(value),
          describeValue(text),
          describeValue({ [text]: text }),
        ]) {
          expect(described.length).toBeLessThanOrEqual(80);
          expect(described).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
        }
      },
    ),
  );
});
