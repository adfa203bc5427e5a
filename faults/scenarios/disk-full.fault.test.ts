import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { fibonacciWork, loadWork } from '../load/workloads.ts';
import { waitUntil } from '../wait-until.ts';
import { useWorld } from './test-world.ts';

const MOUNTS: string[] = [];
const FULL_MS = 4_000;

/** A file system of `megabytes` in memory. @returns its folder, or why there is none */
function mountSmall(megabytes: number): { folder: string } | { reason: string } {
  if (process.getuid?.() !== 0) return { reason: 'only root may mount a small file system' };
  const folder = mkdtempSync(join(tmpdir(), 'jobber-small-'));
  const made = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=777`, 'tmpfs', folder], {
    encoding: 'utf8',
  });
  if (made.status === 0) {
    MOUNTS.push(folder);
    return { folder };
  }
  rmdirSync(folder);
  return { reason: `mount is not possible here: ${made.stderr?.trim() || made.error?.message}` };
}

/** Takes all room but some kilobytes. @returns what gives it back */
function fill(folder: string): () => void {
  const file = join(folder, 'ballast');
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(file, Buffer.alloc(Math.max(0, bavail * bsize - 16 * 1024)));
  return () => rmSync(file);
}

afterAll(() => {
  for (const folder of MOUNTS) {
    spawnSync('umount', [folder]);
    rmdirSync(folder);
  }
});

describe('a full disk', () => {
  const uploads = mountSmall(8);
  const small = 'folder' in uploads ? { uploadsDir: uploads.folder } : {};
  const world = useWorld('full disk of uploads', small);

  test('of the uploads: a file is refused, jobs without one go on, and files are taken again when there is room', async ({
    skip,
  }) => {
    if ('reason' in uploads) return skip(uploads.reason);
    const { submitter, client, random, during, hold } = world.get();
    await submitter.submit(loadWork(random, 20, true));
    await during({ name: 'the uploads have no room' }, async () => {
      const release = fill(uploads.folder);
      await expect(
        client.upload('records.json', JSON.stringify(loadWork(random, 1_000).items)),
      ).rejects.toThrow(/refused with (413|503|507)/);
      await submitter.submit(fibonacciWork(random, 30));
      await submitter.submit(loadWork(random, 10));
      release();
    });
    await submitter.submit(loadWork(random, 20, true));
    await hold();
  });
});

describe('a full disk of the database', () => {
  const disk = mountSmall(400);
  const world = useWorld(
    'full disk of the database',
    'folder' in disk ? { databaseFolder: databaseFolder(disk.folder) } : {},
  );

  test('refuses jobs as retryable, loses nothing, and goes on when there is room', async ({ skip }) => {
    if ('reason' in disk) return skip(disk.reason);
    const { submitter, random, platform, during, hold } = world.get();
    await submitter.submit(loadWork(random, 30));
    let background: Promise<unknown> = Promise.resolve();
    await during({ name: 'the database has no room' }, async () => {
      const release = fill(disk.folder);
      background = Promise.all(
        Array.from({ length: 6 }, (_, index) =>
          submitter.submit(index % 2 === 0 ? loadWork(random, 2_000) : fibonacciWork(random, 300)),
        ),
      );
      await platform.databases.query('jobs', 'select pg_switch_wal()').catch(() => {});
      await waitUntil('PostgreSQL itself has reported that it has no room', () =>
        readFileSync(platform.databases.logFile, 'utf8').includes('No space left on device'),
      );
      // Long enough for answers to be asked for meanwhile.
      await delay(FULL_MS);
      release();
      // PostgreSQL ends itself when it cannot write its log; the fault ends with its start.
      await platform.databases.crash();
    });
    await background;
    await hold();
  });
});

/** PostgreSQL's own user walks through it. */
function databaseFolder(mount: string): string {
  const folder = join(mount, 'data');
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  return folder;
}
