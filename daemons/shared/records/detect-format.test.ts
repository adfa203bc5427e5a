import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { detectFormat, onlyTheseFormats } from './index.ts';

const array = '[{"name":"a"}]';
const lines = '{"name":"a"}\n{"name":"b"}\n';

test.each([
  ['products.json', array, 'json'],
  ['products.JSON', `\ufeff \r\n${array}`, 'json'],
  ['products.json', '[]', 'json'],
  ['products.json', '{"name":"a"}', 'json'],
  ['products.json', lines, 'ndjson'],
  ['products.json', '{\n"name":"a"}\n', 'json'],
  ['products.ndjson', lines, 'ndjson'],
  ['a.b.JsonL', lines, 'ndjson'],
  ['products.ndjson', array, 'json'],
  ['products.csv', 'name,price\na,1\n', 'csv'],
  ['PRODUCTS.CSV', '\ufeffname,price\r\na,1\r\n', 'csv'],
  ['products.csv', '"name","price"\n', 'csv'],
])('%s holding %j is recognised as %s', (fileName, content, format) => {
  expect(detectFormat({ fileName, head: Buffer.from(content) })).toEqual({ ok: true, format });
});

test.each([
  'products.txt',
  'products',
  'json',
  '.json.exe',
  'products.json ',
  'products.json\0',
  'products.xlsx',
  '',
  'constructor',
  'a.constructor',
  'a.json/',
  'ａ.ｊｓｏｎ',
])('the file name %j is refused with the sentence that names the formats', (fileName) => {
  const detected = detectFormat({ fileName, head: Buffer.from(array) });
  expect(detected).toEqual({ ok: false, reason: 'extension', message: onlyTheseFormats });
  expect(onlyTheseFormats).toBe('Only JSON, NDJSON and CSV files are allowed.');
});

test.each([
  ['gzip', gzipSync(array), 'compressed', 'compressed (gzip)'],
  ['zstd', zstdCompressSync(array), 'compressed', 'compressed (Zstandard)'],
  ['zip or xlsx', Buffer.from('PK\x03\x04rest'), 'compressed', 'spreadsheet such as .xlsx'],
  ['an empty zip', Buffer.from('PK\x05\x06rest'), 'compressed', 'compressed (ZIP)'],
  ['bzip2', Buffer.from('BZh91AY&SY'), 'compressed', 'bzip2'],
  ['xz', Buffer.from('fd377a585a0000', 'hex'), 'compressed', 'xz'],
  ['PNG', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), 'binary', 'binary'],
  ['PDF', Buffer.from('%PDF-1.7\n'), 'binary', 'binary'],
  ['NUL', Buffer.from('[{"a":"\0"}]'), 'binary', 'binary'],
  ['UTF-16 LE with a mark', Buffer.from(`\ufeff${array}`, 'utf16le'), 'encoding', 'UTF-16'],
  ['UTF-16 BE with a mark', Buffer.from(`\ufeff${array}`, 'utf16le').swap16(), 'encoding', 'UTF-16'],
  ['UTF-16 LE without', Buffer.from(array, 'utf16le'), 'encoding', 'UTF-16'],
  ['UTF-16 BE without', Buffer.from(array, 'utf16le').swap16(), 'encoding', 'UTF-16'],
  ['Latin-1', Buffer.from('[{"name":"caf\u00e9"}]', 'latin1'), 'encoding', 'not UTF-8 text (Latin-1'],
  ['nothing', Buffer.alloc(0), 'empty', 'The file is empty.'],
])('%s under the name of an allowed format is refused with its own sentence', (_, head, reason, part) => {
  for (const fileName of ['products.json', 'products.ndjson', 'products.csv']) {
    const detected = detectFormat({ fileName, head });
    expect(detected).toMatchObject({ ok: false, reason, message: expect.stringContaining(part) });
  }
});

test('JSON under the name of a CSV is refused, and the sentence says which name to give it', () => {
  for (const content of [array, lines, '[\n  {\n', '{}']) {
    const detected = detectFormat({ fileName: 'a.csv', head: Buffer.from(content) });
    expect(detected).toMatchObject({
      ok: false,
      reason: 'mismatch',
      message: expect.stringContaining('name it .json'),
    });
  }
});

test('a head that is cut inside a character is not mistaken for another encoding', () => {
  const file = Buffer.from('[{"name":"é€😀é€😀"}]');
  for (let cut = 1; cut <= file.length; cut++) {
    expect(detectFormat({ fileName: 'a.json', head: file.subarray(0, cut) })).toEqual({
      ok: true,
      format: 'json',
    });
  }
});

test('any bytes under any name are recognised or refused with a sentence, never an exception', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a.json', 'a.csv', 'a.jsonl')),
      (head, fileName) => {
        const detected = detectFormat({ fileName, head });
        if (!detected.ok)
          expect(detected.message).toMatch(
            /^The file is .*\.$|^Only JSON, NDJSON and CSV files are allowed\.$/,
          );
      },
    ),
  );
});
