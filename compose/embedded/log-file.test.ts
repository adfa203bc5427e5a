import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLogFile } from './log-file.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobber-log-file-'));
  file = join(folder, 'some.log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const MANY = `${'x'.repeat(1023)}\n`.repeat(10 * 1024 + 1);

test('lines are read once they are whole, those of before the opening never', () => {
  appendFileSync(file, 'before\n');
  const log = openLogFile(file);
  appendFileSync(file, 'one\ntw');
  expect(log.readNewLines()).toEqual(['one']);
  expect(log.readNewLines()).toEqual([]);
  appendFileSync(file, 'o\n\n');
  log.append('three');
  expect(log.readNewLines()).toEqual(['two', 'three']);
  log.close();
});

test('a log over 10 MB is moved aside, and goes on from its beginning', () => {
  const log = openLogFile(file);
  appendFileSync(file, MANY);
  expect(log.readNewLines()).toHaveLength(10 * 1024 + 1);
  expect(readFileSync(`${file}.1`, 'utf8')).toBe(MANY);
  expect(readFileSync(file, 'utf8')).toBe('');
  log.append('after');
  expect(log.readNewLines()).toEqual(['after']);
  log.close();
});

test('a log that cannot be moved aside is read all the same', () => {
  mkdirSync(`${file}.1`);
  const log = openLogFile(file);
  appendFileSync(file, MANY);
  expect(log.readNewLines()).toHaveLength(10 * 1024 + 1);
  log.append('after');
  expect(log.readNewLines()).toEqual(['after']);
  log.close();
});

test('a log that somebody else has emptied is read from its new beginning', () => {
  const log = openLogFile(file);
  log.append('a long line of before');
  expect(log.readNewLines()).toHaveLength(1);
  truncateSync(file);
  log.append('after');
  expect(log.readNewLines()).toEqual(['after']);
  log.close();
});

test('a line that cannot be written or read ends nothing', () => {
  const log = openLogFile(file);
  closeSync(log.fd);
  expect(() => log.append('lost')).not.toThrow();
  expect(log.readNewLines()).toEqual([]);
});
