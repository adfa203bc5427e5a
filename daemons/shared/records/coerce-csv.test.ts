import fc from 'fast-check';
import { expect, test } from 'vitest';
import { coerceCsv, type JsonSchemaLike } from './index.ts';

const product: JsonSchemaLike = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    price: { type: 'number' },
    stock: { type: 'integer' },
    active: { type: 'boolean' },
    sku: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    weight: { anyOf: [{ type: 'number' }, { type: 'null' }] },
    rank: { type: ['integer', 'null'] },
    tags: { type: 'array' },
    size: { type: 'object' },
    level: { enum: [1, 2, 3] },
    anything: {},
    whatever: true,
  },
  required: ['name', 'price', 'rank'],
} as JsonSchemaLike;

function coerced(field: string, text: string): unknown {
  const result = coerceCsv({ [field]: text }, product);
  return result.ok ? result.value[field] : result.problems[0];
}

test('texts become what the types of the properties say, and nothing else', () => {
  const row = {
    name: '007',
    price: '110.53',
    stock: '12',
    active: 'TRUE',
    tags: '["a"]',
    size: '{"w":1}',
    level: '2',
    extra: '5',
  };
  expect(coerceCsv(row, product)).toEqual({
    ok: true,
    value: {
      name: '007',
      price: 110.53,
      stock: 12,
      active: true,
      tags: ['a'],
      size: { w: 1 },
      level: 2,
      extra: '5',
    },
  });
  expect(coerced('anything', '5')).toBe('5');
  expect(coerced('whatever', '5')).toBe('5');
  expect(coerced('sku', '12')).toBe('12');
  expect(coerced('weight', '1.5')).toBe(1.5);
  expect(coerceCsv({ toString: '1' }, product)).toEqual({ ok: true, value: { toString: '1' } });
});

test('an empty field is left out when it is optional; a required one stays text, becomes null or is refused', () => {
  expect(coerceCsv({ stock: '', sku: '', active: '', weight: '' }, product)).toEqual({ ok: true, value: {} });
  expect(coerced('name', '')).toBe('');
  expect(coerced('rank', '')).toBeNull();
  expect(coerced('price', '')).toEqual({ field: 'price', expected: 'a number', got: 'an empty field' });
});

test.each([
  ' 5',
  '5 ',
  '+5',
  '.5',
  '5.',
  '007',
  '-',
  '1,5',
  '12abc',
  '0x10',
  'NaN',
  'Infinity',
  '1e',
  '٣',
  '１２',
  '5\n',
  '$5',
  '1_000',
  'true',
  'null',
])('%j is no number and no integer', (text) => {
  expect(coerced('price', text)).toMatchObject({ field: 'price', expected: 'a number' });
  expect(coerced('stock', text)).toMatchObject({ field: 'stock', expected: 'an integer' });
});

test.each(['1e400', '9007199254740993', '110.530000000000000001', '1e-400'])(
  '%s would lose digits and is refused',
  (text) => {
    expect(coerced('price', text)).toEqual({
      field: 'price',
      expected: 'a number whose digits a 64-bit float keeps',
      got: JSON.stringify(text),
    });
  },
);

test('an integer may be spelled as JSON allows, and a fraction is none', () => {
  expect(['5.0', '5e0', '-0', '2147483648'].map((text) => coerced('stock', text))).toEqual([
    5, 5, -0, 2147483648,
  ]);
  expect(coerced('stock', '1.5')).toEqual({ field: 'stock', expected: 'an integer', got: '"1.5"' });
});

test('booleans are true and false in any case, JSON cells must be JSON of their type', () => {
  expect(['true', 'False', 'TRUE'].map((text) => coerced('active', text))).toEqual([true, false, true]);
  for (const text of ['yes', '1', 'true '])
    expect(coerced('active', text)).toMatchObject({ expected: 'true or false' });
  expect(coerced('tags', '{"a":1}')).toMatchObject({ expected: 'a JSON array' });
  expect(coerced('size', '{"__proto__":{}}')).toMatchObject({ expected: 'a JSON object' });
  expect(coerced('rank', 'x')).toMatchObject({ expected: 'an integer' });
});

test('formulas and escape sequences stay what they are, and are safe to print when refused', () => {
  expect(coerced('name', '=HYPERLINK("http://x")')).toBe('=HYPERLINK("http://x")');
  expect(coerced('price', '\u001b[31m=1+1')).toMatchObject({ got: '"\\u001b[31m=1+1"' });
});

test('all bad fields of a record are named at once', () => {
  const result = coerceCsv({ name: 'a', price: 'x', stock: '1.5' }, product);
  expect(result).toMatchObject({ ok: false, problems: [{ field: 'price' }, { field: 'stock' }] });
});

test('every number comes back from the text that JSON writes for it', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(coerced('price', JSON.stringify(value))).toBe(Object.is(value, -0) ? 0 : value);
    }),
  );
});
