import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeTestCli } from '../testing/test-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'jobber-backup-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a folder without a platform is told in one line, and as JSON', async () => {
  using cli = makeTestCli();
  const nowhere = join(folder, 'nowhere');
  const args = ['backup', join(folder, 'backup'), '--data-dir', nowhere];
  expect(await cli.run(args)).toMatchObject({
    exitCode: 2,
    stdout: '',
    stderr: expect.stringContaining(`${nowhere} holds no platform: name its folder with --data-dir`),
  });
  const run = await cli.run([...args, '--json']);
  expect(run.json()).toMatchObject({ error: { reason: 'FOLDER_UNUSABLE', exitCode: 2 } });
});

test('a folder without a backup is not restored', async () => {
  using cli = makeTestCli();
  const args = ['restore', folder, '--data-dir', join(folder, 'restored')];
  expect(await cli.run(args)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('holds no backup of jobber: it has no readable backup.json'),
  });
});
