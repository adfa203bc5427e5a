import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { identifyProcess } from './process-identity.ts';
import { readProcessStat } from './process-stat.ts';

const onLinux = test.skipIf(process.platform !== 'linux');

onLinux('a process is read by its fields, whatever its name holds', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'jobber-stat-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'a) Z 1 2');
  copyFileSync('/bin/sleep', program);
  const child = spawn(program, ['60']);
  onTestFinished(() => void child.kill());
  await once(child, 'spawn');
  const pid = child.pid as number;
  expect(readProcessStat(pid)).toMatchObject({
    parent: process.pid,
    state: expect.stringMatching(/^[RSD]$/),
  });
  expect(identifyProcess(pid)).toBe(`${pid} ${readProcessStat(pid)?.startTime}`);
  child.kill();
  await once(child, 'exit');
  expect(readProcessStat(pid)).toBeUndefined();
  expect(identifyProcess(pid)).toBeUndefined();
});

onLinux('its processor time is that of the process, in milliseconds', () => {
  const before = process.cpuUsage();
  const ownMs = readProcessStat(process.pid)?.ownMs ?? Number.NaN;
  const after = process.cpuUsage();
  // Of whole ticks, and without what was not counted yet.
  expect(ownMs).toBeGreaterThan((before.user + before.system) / 1_000 - 50);
  expect(ownMs).toBeLessThan((after.user + after.system) / 1_000 + 50);
});
