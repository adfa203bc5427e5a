import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isForbiddenKey } from '../json/index.ts';
import {
  createRecordIndexer,
  type RecordFormat,
  type RecordIndex,
  type RecordLimits,
  readSlice,
} from './index.ts';

const formats = ['json', 'ndjson', 'csv'] as const;

function indexOf(
  format: RecordFormat,
  file: string | Uint8Array,
  limits: Partial<RecordLimits> = {},
  cuts: number[] = [],
) {
  const bytes = Buffer.from(file as string);
  const indexer = createRecordIndexer({ format, limits });
  let from = 0;
  for (const cut of [...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    // A copy of its own that is wiped afterwards: nothing of a chunk may be kept.
    const chunk = Buffer.from(bytes.subarray(from, cut));
    indexer.push(chunk);
    chunk.fill(0x7b);
    from = cut;
  }
  return indexer.end();
}

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readBack(format: RecordFormat, file: string | Buffer, index: RecordIndex, chunk = 7) {
  const bytes = Buffer.from(file as string);
  const records = [];
  for (const slice of index.slices) {
    const header = index.csvHeader === undefined ? {} : { csvHeader: index.csvHeader };
    const part = inChunks(bytes.subarray(slice.byteFrom, slice.byteTo), chunk);
    for await (const record of readSlice({ format, ...slice, ...header }, part)) records.push(record);
  }
  return records;
}

const text = fc
  .string({ unit: 'binary', maxLength: 12 })
  .filter((value) => value.isWellFormed() && !value.includes('\0'));
const awkward = fc.oneof(
  text,
  fc.constantFrom('', '"', ',', '\r\n', '\\', '\\"', '{"}', '[', ']', '}\n{', '=HYPERLINK("x")', 'é€😀'),
);
const key = fc
  .oneof(fc.constantFrom('name', 'price', 'a b'), awkward)
  .filter((name) => !isForbiddenKey(name));
const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));
const value = fc.oneof(
  awkward,
  number,
  fc.boolean(),
  fc.constant(null),
  fc.array(awkward, { maxLength: 3 }),
  fc.dictionary(key, awkward, { maxKeys: 2, noNullPrototype: true }),
);
const objects = fc.array(fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true }), {
  minLength: 1,
  maxLength: 12,
});
const table = fc
  .uniqueArray(
    fc.stringMatching(/^[a-zé",]([a-z ,"]{0,5}[a-z"])?$/).filter((name) => !isForbiddenKey(name)),
    { minLength: 2, maxLength: 4 },
  )
  .chain((header) =>
    fc.record({
      header: fc.constant(header),
      rows: fc.array(fc.array(awkward, { minLength: header.length, maxLength: header.length }), {
        minLength: 1,
        maxLength: 12,
      }),
    }),
  );

interface Sample {
  file: string;
  records: Record<string, unknown>[];
}

function csvField(field: string, quoteAll: boolean): string {
  return quoteAll || /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

const samples: Record<RecordFormat, fc.Arbitrary<Sample>> = {
  json: fc
    .tuple(objects, fc.constantFrom(undefined, 1, '\t'), fc.constantFrom('', '\ufeff', '\r\n'))
    .map(([records, indent, head]) => ({
      records,
      file: `${head}${JSON.stringify(records, null, indent)}\n`,
    })),
  ndjson: fc
    .tuple(objects, fc.constantFrom('\n', '\r\n', '\n \t\n'), fc.boolean())
    .map(([records, eol, last]) => ({
      records,
      file: records.map((record) => JSON.stringify(record)).join(eol) + (last ? eol : ''),
    })),
  csv: fc
    .tuple(table, fc.constantFrom('\n', '\r\n', '\n\n'), fc.boolean(), fc.boolean())
    .map(([{ header, rows }, eol, quoteAll, last]) => ({
      records: rows.map((row) => Object.fromEntries(header.map((name, column) => [name, row[column]]))),
      file:
        [header, ...rows].map((row) => row.map((field) => csvField(field, quoteAll)).join(',')).join(eol) +
        (last ? eol : ''),
    })),
};

/** `JSON.stringify` writes -0 as 0. (No round trip: JSON.parse may mistake names that are written with escapes.) */
function asWritten(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asWritten);
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, asWritten(item)]));
}

for (const format of formats) {
  test(`${format}: any chunks of any file give the same index, and its slices give exactly the records`, async () => {
    const limits = fc.record({
      recordsPerSlice: fc.integer({ min: 1, max: 5 }),
      maxSlices: fc.integer({ min: 1, max: 6 }),
      maxSliceBytes: fc.integer({ min: 1, max: 300 }),
    });
    await fc.assert(
      fc.asyncProperty(
        samples[format],
        fc.array(fc.nat(), { maxLength: 8 }),
        limits,
        async ({ file, records }, cuts, some) => {
          const index = indexOf(format, file, some, cuts);
          expect(index).toEqual(indexOf(format, file, some));
          expect(index).toEqual(indexOf(format, file, some, Array.from(Buffer.from(file).keys())));
          expect(index).toMatchObject({
            ok: true,
            records: records.length,
            bytes: Buffer.byteLength(file),
            problems: [],
          });
          expect(index.slices.reduce((count, slice) => count + slice.count, 0)).toBe(records.length);
          const back = await readBack(format, file, index);
          expect(back.map((record) => record.value)).toEqual(asWritten(records));
          expect(back.map((record) => record.index)).toEqual([...records.keys()]);
          expect(back.map((record) => record.line)).toEqual(linesOf(format, file, records.length));
        },
      ),
      { numRuns: 150 },
    );
  });

  test(`${format}: damaged files give the same problems in any chunks, and nothing throws`, () => {
    const limits = { maxRecordBytes: 60, maxProblems: 5 };
    const junk = fc.constantFrom(
      '"',
      ',',
      '{',
      '}',
      '[',
      ']',
      '\n',
      '\\',
      '01',
      'NaN',
      '//',
      '\0',
      'é',
      ':',
      '\r',
    );
    fc.assert(
      fc.property(
        samples[format],
        fc.array(fc.tuple(fc.nat(), junk, fc.nat(3)), { maxLength: 3 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (sample, damages, cuts) => {
          let file = Buffer.from(sample.file);
          for (const [at, bytes, removed] of damages) {
            const from = at % (file.length + 1);
            file = Buffer.concat([file.subarray(0, from), Buffer.from(bytes), file.subarray(from + removed)]);
          }
          const whole = indexOf(format, file, limits);
          expect(indexOf(format, file, limits, cuts)).toEqual(whole);
          expect(indexOf(format, file, limits, Array.from(file.keys()))).toEqual(whole);
          for (const problem of whole.problems) {
            expect(problem.message).not.toMatch(/\p{Cc}/u);
            expect(problem.message.length).toBeLessThan(400);
            expect(problem.line).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
}

/** Where each record begins, found in another way than the scanners do: by reading ever longer beginnings. */
function linesOf(format: RecordFormat, file: string, records: number): number[] {
  const lines: number[] = [];
  if (format === 'ndjson') {
    for (const [at, line] of file.split('\n').entries()) if (line.trim() !== '') lines.push(at + 1);
    return lines;
  }
  let inQuotes = false;
  let depth = 0;
  let line = 1;
  let fresh = true;
  for (let i = 0; i < file.length; i++) {
    const c = file[i] as string;
    if (format === 'json') {
      if (c === '"') inQuotes = !inQuotes;
      else if (inQuotes && c === '\\') i++;
      else if (!inQuotes && '{['.includes(c) && ++depth === 2) lines.push(line);
      else if (!inQuotes && '}]'.includes(c)) depth--;
      if (c === '\n') line++;
    } else {
      if (fresh && c !== '\n' && c !== '\r') lines.push(line);
      fresh = !inQuotes && c === '\n';
      if (c === '"') inQuotes = !inQuotes;
      if (c === '\n') line++;
    }
  }
  return format === 'csv' ? lines.slice(1, records + 1) : lines;
}

function firstProblem(format: RecordFormat, file: string | Uint8Array, limits: Partial<RecordLimits> = {}) {
  const index = indexOf(format, file, limits);
  expect(index.ok).toBe(false);
  return index.problems[0];
}

test.each([
  ['{"name":"a"}', 0, 1, 'an array of objects', 'an object'],
  ['"text"', 0, 1, 'an array of objects', 'a string'],
  ['\n12', 0, 2, 'an array of objects', 'a number'],
  ['<html>', 0, 1, 'an array of objects', 'text that begins with "<"'],
  ['', 0, 1, 'an array of objects', 'an empty file'],
  ['\ufeff', 0, 1, 'an array of objects', 'an empty file'],
  ['[]', 0, 1, 'at least one record', 'an empty array'],
  ['[{"a":1},\n]', 1, 2, 'a record after the comma', '"]" (a trailing comma)'],
  ['[{"a":1,}]', 0, 1, 'a property after the comma', '"}" (a trailing comma)'],
  ['[,{"a":1}]', 0, 1, 'an object', '","'],
  ['[{"a":1} {"a":2}]', 1, 1, 'a comma or "]" after the record', '"{"'],
  ['[{"a":1}] x', 1, 1, 'the end of the file after the array', '"x"'],
  ['[{"a":1}][{"a":2}]', 1, 1, 'the end of the file after the array', '"["'],
  ['// all\n[]', 0, 1, 'an array of objects', 'text that begins with "/" (JSON has no comments)'],
  ['[/* one */{"a":1}]', 0, 1, 'an object', '"/" (JSON has no comments)'],
  ['[{"a":1 // one\n}]', 0, 1, 'a comma or "}" after the property', 'a comment, which JSON does not have'],
  ['[{"a":\nNaN}]', 0, 2, 'a value', 'NaN'],
  ['[{"a":01}]', 0, 1, 'a number as JSON spells it', '01'],
  ['[{"a":1},\n 5]', 1, 2, 'an object', 'a number'],
  ['["x"]', 0, 1, 'an object', 'a string'],
  ['[null]', 0, 1, 'an object', 'null'],
  ['[[{"a":1}]]', 0, 1, 'an object', 'an array'],
  ['[{"a":1', 0, 1, 'the end of the record that begins here', 'the end of the file'],
  ['[{"a":1}', 1, 1, 'a comma or "]" after the record', 'the end of the file'],
  ['[{"a":1},', 1, 1, 'a record after the comma', 'the end of the file'],
  ['[', 0, 1, 'a record or "]"', 'the end of the file'],
  ['[{"a":"x},\n{"a":1}]', 0, 1, 'control characters in strings to be escaped', 'a line break'],
  ['[{"price":1e400}]', 0, 1, 'a number whose digits a 64-bit float keeps', '1e400'],
  ['[{"a":1,"a":2}]', 0, 1, 'each property name once', '"a" again'],
  [
    '[{"__proto__":1}]',
    0,
    1,
    'a property name other than __proto__, constructor and prototype',
    '"__proto__"',
  ],
  ['[{"a":"\\u0000"}]', 0, 1, 'text without U+0000', '"\\u0000"'],
  ['[{"a":"\\ud800"}]', 0, 1, 'text without lone surrogates (halves of a character)', '"\\ud800"'],
])('JSON %j is refused with index, line, expected and got', (file, index, line, expected, got) => {
  expect(firstProblem('json', file)).toMatchObject({ index, line, expected, got });
});

test.each([
  ['[{"a":1}]', 0, 1, 'an object', 'an array'],
  ['{"a":1}\n\n{"a":2,}\n', 1, 3, 'a property after the comma', '"}" (a trailing comma)'],
  ['{"a":1}\n5', 1, 2, 'an object', 'a number'],
  ['{"a":1},\n', 0, 1, 'the end of the text', '","'],
  ['{"a":1}{"a":2}\n', 0, 1, 'the end of the text', '"{"'],
  ['{"a":1}\n{"a":', 1, 2, 'a value', 'the end of the text'],
  ['\n \n', 0, 3, 'at least one record', 'an empty file'],
])('NDJSON %j is refused with index, line, expected and got', (file, index, line, expected, got) => {
  expect(firstProblem('ndjson', file)).toMatchObject({ index, line, expected, got });
});

test.each([
  ['', 0, 1, undefined, 'a header and rows', 'an empty file'],
  ['name,price\n', 0, 2, undefined, 'at least one row after the header', 'the end of the file'],
  ['name,,x\na,b,c\n', 0, 1, 'column 2', 'a column name', 'an empty one'],
  ['name,price,name\na,b,c\n', 0, 1, 'column 3', 'each column name once', '"name" again'],
  ['name, price\na,b\n', 0, 1, 'column 2', 'a column name without spaces around it', '" price"'],
  [
    'name,__proto__\na,b\n',
    0,
    1,
    'column 2',
    'a column name other than __proto__, constructor and prototype',
    '"__proto__"',
  ],
  ['name;price\na;b\n', 0, 1, undefined, 'column names separated by commas', 'the separator ";"'],
  ['name,price\ra,b\r', 0, 1, 'column 2', 'a column name without control characters', '"price\\ra"'],
  ['name,price\n"a\nb",1\nc\n', 1, 4, undefined, '2 fields', '1'],
  ['name,price\na,1,\n', 0, 2, undefined, '2 fields', '3'],
  [
    'name,price\na,1\nb,"2\nc,3\n',
    1,
    3,
    undefined,
    'a closing quote for the field whose quote opens here',
    'the end of the file',
  ],
  [
    'name,price\na,5" pipe\n',
    0,
    2,
    'price',
    'a field with quotes in it to be quoted and its quotes doubled',
    'a quote in a field that does not begin with one',
  ],
  ['name,price\n"a" ,1\n', 0, 2, 'name', 'a comma or the end of the row after a closing quote', 'other text'],
  ['name,price\na,x\0y\n', 0, 2, 'price', 'text without U+0000', 'a field with it'],
])(
  'CSV %j is refused with index, line, field, expected and got',
  (file, index, line, field, expected, got) => {
    const problem = firstProblem('csv', file);
    expect(problem).toMatchObject({ index, line, expected, got });
    expect(problem?.field).toBe(field);
  },
);

test.each(formats)(
  '%s: bytes that are no UTF-8 are refused at their line, wherever in the file they are',
  (format) => {
    const records = Array.from({ length: 1000 }, (_, at) => ({ name: `caf\ufffd ${at}`, note: 'x' }));
    const lines = records.map((record) => (format === 'csv' ? `${record.name},x` : JSON.stringify(record)));
    const [head, between, tail] = {
      json: ['[', ',\n', ']'],
      ndjson: ['', '\n', '\n'],
      csv: ['name,note\n', '\n', '\n'],
    }[format] as [string, string, string];
    const file = Buffer.from(head + lines.join(between) + tail);
    expect(indexOf(format, file)).toMatchObject({ ok: true, records: 1000 });
    const at = file.indexOf('caf\ufffd 700') + 3;
    file[at] = 0xe9;
    file[at + 1] = file[at + 2] = 0x20;
    const index = indexOf(format, file);
    expect(index).toMatchObject({ ok: false, stopped: true, problemCount: 1 });
    expect(index.problems[0]).toMatchObject({
      index: 700,
      line: format === 'csv' ? 702 : 701,
      expected: 'UTF-8 text',
    });
    expect(index.problems[0]?.got).toBe('the byte 0xE9 (Latin-1 or another encoding)');
  },
);

test('problems of single records are all counted and the first ones are kept', () => {
  const records = Array.from({ length: 100 }, (_, at) => `{"price":${at % 2 === 0 ? 'NaN' : at}}`);
  const index = indexOf('json', `[${records.join(',\n')}]`, { maxProblems: 3 });
  expect(index).toMatchObject({ ok: false, records: 100, problemCount: 50, stopped: false });
  expect(index.problems.map((problem) => problem.message)).toEqual([
    'Record 0 (line 1), price: expected a value, got NaN.',
    'Record 2 (line 3), price: expected a value, got NaN.',
    'Record 4 (line 5), price: expected a value, got NaN.',
  ]);
  const rows = Array.from({ length: 100 }, (_, at) => (at % 2 === 0 ? 'a"b,1' : 'a,1'));
  expect(indexOf('csv', `name,price\n${rows.join('\n')}`)).toMatchObject({
    records: 100,
    problemCount: 50,
    stopped: false,
  });
});

test.each([
  ['json', '[{"a":"', 'x'],
  ['json', '[{"a":[', '['],
  ['json', '[', '9'],
  ['ndjson', '{"a":"', 'x'],
  ['csv', 'name,price\na,"', 'x'],
  ['csv', '', 'x,'],
] as const)(
  '%s: a record without end (%j and then %j for ever) is refused at the limit and not held',
  (format, head, endless) => {
    const indexer = createRecordIndexer({ format });
    indexer.push(Buffer.from(head));
    const chunk = Buffer.alloc(64 * 1024, endless);
    let pushed = 0;
    for (; !indexer.stopped && pushed < 100; pushed++) indexer.push(chunk);
    expect(pushed).toBeLessThanOrEqual(18);
    for (let i = 0; i < 1000; i++) indexer.push(chunk);
    const index = indexer.end();
    expect(index).toMatchObject({ ok: false, stopped: true, problemCount: 1 });
    expect(index.problems[0]?.expected).toBe('a record of at most 1048576 bytes');
  },
);

test('blank lines without end in NDJSON are passed and not held', () => {
  const indexer = createRecordIndexer({ format: 'ndjson' });
  for (let i = 0; i < 1000; i++) indexer.push(Buffer.alloc(64 * 1024, i % 2 === 0 ? ' ' : '\n'));
  indexer.push(Buffer.from('{"a":1}'));
  expect(indexer.end()).toMatchObject({ ok: true, records: 1, slices: [{ line: 500 * 65_536 + 1 }] });
});

test('a record of exactly the limit is accepted and one byte more is refused, in any chunks', () => {
  const limits = { maxRecordBytes: 10 };
  for (const cuts of [[], [3], [11], [10, 12]]) {
    expect(indexOf('json', '[{"a":1234}]', limits, cuts).ok).toBe(true);
    expect(indexOf('json', '[{"a":12345}]', limits, cuts).problems[0]?.got).toBe('a longer one');
    expect(indexOf('ndjson', '{"a":1234}', limits, cuts).ok).toBe(true);
    expect(indexOf('ndjson', '{"a":12345}', limits, cuts).problems[0]?.got).toBe('a longer one');
    expect(indexOf('csv', 'a,b\n12345,7890\n', limits, cuts).ok).toBe(true);
    expect(indexOf('csv', 'a,b\n12345,78901\n', limits, cuts).problems[0]?.got).toBe('a longer one');
  }
});

test('the index of a long file stays small: slices are joined, in order and without gaps, up to their limits', () => {
  const limits = { recordsPerSlice: 2, maxSlices: 16, maxSliceBytes: 100_000 };
  const file = `[${Array.from({ length: 20_000 }, (_, at) => `{"n":${at}}`).join(',')}]`;
  const { slices } = indexOf('json', file, limits);
  expect(slices.length).toBeLessThanOrEqual(17);
  let next = 0;
  for (const slice of slices) {
    expect(slice.firstIndex).toBe(next);
    expect(slice.byteTo - slice.byteFrom).toBeLessThanOrEqual(limits.maxSliceBytes);
    expect(file.slice(slice.byteFrom, slice.byteFrom + 20)).toContain(`{"n":${next}}`);
    next += slice.count;
  }
  expect(next).toBe(20_000);
  const small = indexOf('json', file, { ...limits, maxSliceBytes: 1000 }).slices;
  expect(small.every((slice) => slice.byteTo - slice.byteFrom <= 1000)).toBe(true);
});

test('a slice that does not read as it was indexed is damage, never other records', async () => {
  const file = Buffer.from('{"a":1}\n{"a":2}\n');
  const index = indexOf('ndjson', file);
  file[9] = 0x7d;
  await expect(readBack('ndjson', file, index)).rejects.toThrow('The file changed: Record 1 (line 2)');
  const shortened = readSlice(
    { format: 'ndjson', firstIndex: 0, line: 1, count: 2 },
    Buffer.from('{"a":1}\n'),
  );
  await expect(Array.fromAsync(shortened)).rejects.toThrow('expected 2 records from record 0 on, got 1');
  const headless = readSlice({ format: 'csv', firstIndex: 0, line: 2 }, Buffer.from('a,1\n'));
  await expect(Array.fromAsync(headless)).rejects.toThrow('needs the header');
});

test('a slice is read as it arrives: its first records come before its last bytes', async () => {
  let sent = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) {
      sent++;
      yield Buffer.from('{"a":1}\n{"a"');
      yield Buffer.from(':2}\n');
    }
  }
  for await (const record of readSlice({ format: 'ndjson', firstIndex: 40, line: 7 }, endless())) {
    if (record.index === 43) {
      expect(record).toEqual({ index: 43, line: 10, value: { a: 2 } });
      break;
    }
  }
  expect(sent).toBe(2);
});

const example = new URL('../../../assets/products.json', import.meta.url);

test.runIf(existsSync(example))(
  'the example file of this repository reads as JSON.parse reads it',
  async () => {
    const file = readFileSync(example);
    const index = indexOf('json', file);
    expect(index.ok).toBe(true);
    const back = await readBack('json', file, index, 1000);
    expect(back.map((record) => record.value)).toEqual(JSON.parse(file.toString('utf8')));
  },
);
