import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withCredentialsLock } from './lock.ts';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'jobber-lock-'));
});
afterEach(() => rmSync(home, { recursive: true }));

test('one at a time', async () => {
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 10 }, () => withCredentialsLock(home, work)));
  expect(most).toBe(1);
  expect(existsSync(join(home, 'credentials.lock'))).toBe(false);
});

test('the lock of a process that has died is taken over', async () => {
  writeFileSync(join(home, 'credentials.lock'), '2147483646');
  expect(await withCredentialsLock(home, async () => 'done')).toBe('done');
});

test('the lock is given back when the work fails', async () => {
  await expect(
    withCredentialsLock(home, async () => {
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  expect(existsSync(join(home, 'credentials.lock'))).toBe(false);
});
