import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { PlatformError } from '../platform/platform-error.ts';
import { explainRestoreError, isDamage } from './explain-restore-error.ts';

const folder = mkdtempSync(join(tmpdir(), 'jobber-restore-error-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const attempt = { source: '/backup', dataDir: '/restored', serverLog: join(folder, 'postgres.log') };
const withFacts = (message: string, facts: object) => Object.assign(new Error(message), facts);

const FULL = {
  reason: 'disk-full',
  message:
    'The disk that holds /restored is full: make room there, or name a folder elsewhere with --data-dir.',
};

test.each([
  ['PostgreSQL', withFacts('could not extend file "base/5/1259"', { code: '53100' })],
  [
    'the file system',
    withFacts('ENOSPC: no space left on device, write', { code: 'ENOSPC', syscall: 'write' }),
  ],
])('a full disk is told as one when %s says so, and is no damage', async (_who, error) => {
  expect(await isDamage(error)).toBe(false);
  expect(explainRestoreError(error, attempt)).toMatchObject({ reason: FULL.reason });
});

test('a server that ended because its disk is full has said so in its log', async () => {
  const error = new Error('Connection terminated unexpectedly');
  expect(await isDamage(error)).toBe(false);
  expect(explainRestoreError(error, attempt)).toBe(error);
  const serverLog = join(folder, 'full.log');
  writeFileSync(serverLog, 'PANIC:  could not write to file "pg_wal/xlogtemp.9": No space left on device\n');
  expect(explainRestoreError(error, { ...attempt, serverLog })).toMatchObject(FULL);
});

test('a file that is not there is damage that names it', () => {
  const path = '/backup/uploads/a';
  const error = withFacts('ENOENT: no such file', { code: 'ENOENT', syscall: 'open', path });
  expect(explainRestoreError(error, attempt)).toMatchObject({
    reason: 'folder-unusable',
    message: `The backup in /backup is damaged: its file ${path} is missing.`,
  });
});

test('what the backup holds and no database takes is damage; what was explained stays', async () => {
  expect(await isDamage(withFacts('incorrect header check', { code: 'Z_DATA_ERROR' }))).toBe(true);
  expect(await isDamage(withFacts('invalid input syntax', { code: '22P02' }))).toBe(true);
  const told = new PlatformError('migration', 'The backup was made by a newer jobber.');
  expect(explainRestoreError(told, attempt)).toBe(told);
});
