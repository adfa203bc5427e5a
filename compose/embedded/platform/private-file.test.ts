import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makePrivateFolder } from './private-file.ts';

test('a folder is made with its parents, closed to others; one that is there stays', () => {
  const parent = mkdtempSync(join(tmpdir(), 'jobber-private-'));
  makePrivateFolder(join(parent, 'a', 'b'));
  makePrivateFolder(join(parent, 'a', 'b'));
  expect(statSync(join(parent, 'a')).mode & 0o777).toBe(0o700);
  rmSync(parent, { recursive: true });
});

test.runIf(process.platform === 'linux')('where nothing can be made, that is said', () => {
  expect(() => makePrivateFolder('/proc/jobber/x')).toThrow('Cannot write /proc/jobber/x: ');
});
