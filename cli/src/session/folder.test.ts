import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ensureHomeFolder } from './folder.ts';

test('the folder is made with its parents, closed to others', () => {
  const parent = mkdtempSync(join(tmpdir(), 'jobber-folder-'));
  ensureHomeFolder(join(parent, 'a', 'b'));
  expect(statSync(join(parent, 'a', 'b')).mode & 0o777).toBe(0o700);
  rmSync(parent, { recursive: true });
});

test('a folder that cannot be made is refused in words', () => {
  const parent = mkdtempSync(join(tmpdir(), 'jobber-folder-'));
  writeFileSync(join(parent, 'file'), '');
  expect(() => ensureHomeFolder(join(parent, 'file', 'x'))).toThrow('a part of its path is not a directory');
  rmSync(parent, { recursive: true });
});

test.runIf(process.platform === 'linux')('below /proc, too, where nothing can be made', () => {
  expect(() => ensureHomeFolder('/proc/jobber/x')).toThrow("The folder /proc/jobber/x can't be used");
});
