// What users' product files get wrong, through the two checks that Jobs makes of each record. It stands here because
// it crosses workspaces: LoadProducts' schema, the shared JSON reader and Jobs' check.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadProducts } from '../daemons/job-types/load-products/index.ts';
import { plainDecimal } from '../daemons/job-types/load-products/plain-decimal.ts';
import { compileItemCheck, type ItemProblem } from '../daemons/jobs/catalog/check-items.ts';
import { checkRecord } from '../daemons/products/use-cases/check-record.ts';
import { parseJsonExact } from '../daemons/shared/json/index.ts';

const checkItem = compileItemCheck(loadProducts.inputSchema);

const SOUND: Readonly<Record<string, string>> = {
  name: '"Lamp"',
  category: '"Garden"',
  price: '110.53',
  stock: '3',
  rating: '4.5',
  description: '"Gives light."',
};

/** A record as it stands in a file; a field whose text is undefined is left out. */
function textWith(fields: Readonly<Record<string, string | undefined>>): string {
  const entries = Object.entries({ ...SOUND, ...fields }).filter(([, text]) => text !== undefined);
  return `{${entries.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
}

/** `field: expected …, got …` of each problem. */
function problemsOf(text: string): string[] {
  const parsed = parseJsonExact(text);
  if (!parsed.ok) {
    const { path, expected, got } = parsed.problem;
    return [`${path}: expected ${expected}, got ${got}`];
  }
  const problems: ItemProblem[] = [];
  const count = checkItem(parsed.value, { index: 3, line: 9 }, problems);
  expect(problems).toHaveLength(count);
  return problems.map(({ field = '', expected, got }) => `${field}: expected ${expected}, got ${got}`);
}

const text = (length: number, character = 'x') => JSON.stringify(character.repeat(length));

test.each<[string, Record<string, string>]>([
  ['the longest texts, counted in characters', { name: text(255, '😀'), description: text(10_000, '😀') }],
  ['the largest numbers', { price: '9999999999', stock: '2147483647', rating: '5.0' }],
  ['nothing at no price', { price: '0', stock: '0', rating: '0', description: '""' }],
  ['numbers in other spellings', { price: '1.1053e2', stock: '1e3', rating: '-0' }],
  ['a sku, or null for none', { sku: text(64, '~') }],
  ['null for no sku', { sku: 'null' }],
  ['a formula, which is text', { name: '"=HYPERLINK(\\"http://x\\")"' }],
])('a record is sound with %s', (_, fields) => {
  expect(problemsOf(textWith(fields))).toEqual([]);
});

test.each(Object.keys(SOUND))('a record without %s, or with a value of another type, is refused', (field) => {
  const isText = SOUND[field]?.startsWith('"');
  const kind = isText ? 'text' : field === 'stock' ? 'a whole number' : 'a number';
  expect(problemsOf(textWith({ [field]: undefined }))).toEqual([`${field}: expected a value, got nothing`]);
  for (const wrong of ['null', 'true', '[]', '{}', isText ? '12.5' : '"12.50"']) {
    expect(problemsOf(textWith({ [field]: wrong }))).toEqual([`${field}: expected ${kind}, got ${wrong}`]);
  }
});

const DIGITS = 'a number whose digits a 64-bit float keeps';
const SKU = '1 to 64 printable ASCII characters without spaces';

test.each<[string, string, string, string]>([
  ['price', '-1', 'a number >= 0', '-1'],
  ['price', '10000000000', 'a number <= 9999999999', '10000000000'],
  ['price', '1e400', DIGITS, '1e400'],
  ['price', '1e-400', DIGITS, '1e-400'],
  ['price', '110.530000000000000001', DIGITS, '110.530000000000000001'],
  ['price', '9007199254740993', DIGITS, '9007199254740993'],
  ['price', 'NaN', 'a value', 'NaN'],
  ['price', '01', 'a number as JSON spells it', '01'],
  ['price', '.5', 'a number as JSON spells it', '.5'],
  ['stock', '1.5', 'a whole number', '1.5'],
  ['stock', '-1', 'a number >= 0', '-1'],
  ['stock', '2147483648', 'a number <= 2147483647', '2147483648'],
  ['rating', '5.0001', 'a number <= 5', '5.0001'],
  ['rating', '-0.1', 'a number >= 0', '-0.1'],
  ['name', '""', 'at least 1 characters', '""'],
  ['name', '" \\t"', '1 to 255 characters, not only blanks; it need not be unique', '" \\t"'],
  ['category', '"\u3000"', '1 to 255 characters, not only blanks; a category that is not known has no charge', '"\u3000"'],
  ['name', text(256), 'at most 255 characters', '256 characters'],
  ['category', text(256, '😀'), 'at most 255 characters', '256 characters'],
  ['description', text(10_001), 'at most 10000 characters', '10001 characters'],
  ['name', '"a\\u0000b"', 'text without U+0000', '"a\\u0000b"'],
  ['description', '"\\ud800"', 'text without lone surrogates (halves of a character)', '"\\ud800"'],
  ['sku', text(65), 'at most 64 characters', '65 characters'],
  ['sku', '""', SKU, '""'],
  ['sku', '"a b"', SKU, '"a b"'],
  ['sku', '"ä"', SKU, '"ä"'],
  ['owner', '1', 'no such field', '1'],
])('%s %s is refused once, and the problem says what was expected', (field, value, expected, got) => {
  const [problem, ...others] = problemsOf(textWith({ [field]: value }));
  expect(others).toEqual([]);
  expect(problem).toMatch(new RegExp(`^${field}: expected `));
  expect(problem?.slice(`${field}: expected `.length).startsWith(expected)).toBe(true);
  expect(problem?.endsWith(`, got ${got}`)).toBe(true);
});

test.each([
  ['a name that stands twice', `${textWith({}).slice(0, -1)},"price":2}`],
  ['a trailing comma', `${textWith({}).slice(0, -1)},}`],
  ['a comment', `{/* x */${textWith({}).slice(1)}`],
  ['__proto__', `${textWith({}).slice(0, -1)},"__proto__":{"admin":true}}`],
  ['__proto__, escaped', `${textWith({}).slice(0, -1)},"__proto\\u005f_":{}}`],
  ['constructor', `${textWith({}).slice(0, -1)},"constructor":{"prototype":{}}}`],
  ['a nesting bomb', '['.repeat(100_000)],
  ['half a record', textWith({}).slice(0, 30)],
])('a record with %s is refused once', (_, record) => {
  expect(problemsOf(record)).toHaveLength(1);
});

test.each(['[]', 'null', '5', '"x"'])('%s is no record', (value) => {
  expect(problemsOf(value)).toEqual([`: expected an object, got ${value}`]);
});

test('an empty record names every field that is missing', () => {
  expect(problemsOf('{}')).toEqual(
    Object.keys(SOUND).map((field) => `${field}: expected a value, got nothing`),
  );
});

test('what Jobs has accepted Products does not refuse', () => {
  const character = fc.constantFrom('a', ' ', '\n', '\u007f', 'ß', '\u2028', '😀', '"', '\\', '%');
  const words = (minLength: number, maxLength: number) =>
    fc.string({ unit: character, minLength, maxLength });
  const number = (max: number) =>
    fc.oneof(
      fc.double({ min: 0, max, noNaN: true }),
      fc.integer({ min: 0, max: Math.min(max, 2 ** 31 - 1) }),
    );
  const record = fc.record({
    name: words(0, 256),
    category: words(1, 20),
    price: number(9_999_999_999),
    stock: fc.integer({ min: -1, max: 2 ** 31 }),
    rating: number(5),
    description: words(0, 50),
  });
  const sku = fc.string({ unit: 'binary', minLength: 0, maxLength: 65 });
  fc.assert(
    fc.property(record, fc.option(sku, { nil: undefined }), (value, maybeSku) => {
      const item = { ...value, ...(maybeSku !== undefined && { sku: maybeSku }) };
      if (problemsOf(JSON.stringify(item)).length > 0) return;
      const { price, rating } = item;
      const sent = { ...item, sku: maybeSku, price: plainDecimal(price), rating: plainDecimal(rating) };
      expect(checkRecord(sent)).toBeUndefined();
    }),
    { numRuns: 2_000 },
  );
});
