import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkDataFile } from './check-file.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobber-file-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function make(name: string, content = '[]'): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test('a file of records is accepted, also behind a symbolic link and with capitals in its extension', () => {
  const path = make('Products.JSON');
  expect(checkDataFile(path)).toEqual({
    path,
    name: 'Products.JSON',
    size: 2,
    contentType: 'application/json',
  });
  symlinkSync(path, join(folder, 'link.csv'));
  expect(checkDataFile(join(folder, 'link.csv')).contentType).toBe('text/csv');
});

test('what is missing, empty or no regular file is refused, and nothing waits', async () => {
  expect(() => checkDataFile(join(folder, 'none.json'))).toThrow('does not exist: check the path');
  expect(() => checkDataFile('')).toThrow('The name of the file is empty');
  expect(() => checkDataFile(make('empty.json', ''))).toThrow('is empty: give a JSON, NDJSON or CSV file');
  expect(() => checkDataFile(folder)).toThrow('is a directory, not a file');
  expect(() => checkDataFile('-')).toThrow("Standard input can't be loaded");
  expect(() => checkDataFile('/dev/zero')).toThrow('/dev/zero is a device, not a file');
  execFileSync('mkfifo', [join(folder, 'pipe.json')]);
  expect(() => checkDataFile(join(folder, 'pipe.json'))).toThrow('is a named pipe, not a file');
  expect(() => checkDataFile(join(make('a.json'), 'b.json'))).toThrow('is not a directory');
  const socket = createServer();
  await new Promise<void>((resolve) => socket.listen(join(folder, 's.json'), resolve));
  expect(() => checkDataFile(join(folder, 's.json'))).toThrow('is a socket, not a file');
  await new Promise((resolve) => socket.close(resolve));
});

test('other kinds of files are refused by their extension', () => {
  expect(() => checkDataFile(make('data.xlsx'))).toThrow(
    'has the extension .xlsx: only JSON, NDJSON and CSV files',
  );
  expect(() => checkDataFile(make('data'))).toThrow('has no extension');
});

// root may read everything
test.runIf(process.getuid?.() !== 0)('a file that may not be read is refused', () => {
  const path = make('closed.json');
  chmodSync(path, 0o000);
  expect(() => checkDataFile(path)).toThrow("can't be read: permission denied");
});
