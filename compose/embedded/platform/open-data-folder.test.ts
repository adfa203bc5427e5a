import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDataFolder } from './open-data-folder.ts';

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'jobber-data-folder-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

test("a folder in which a platform has run opens again, also one with a broker's data", () => {
  openDataFolder(dataDir);
  for (const folder of ['postgres', 'postgres.new-1', 'pulsar']) mkdirSync(join(dataDir, folder));
  for (const file of ['secrets.json', 'postgres.owner', 'postgres.password', 'platform.owner'])
    writeFileSync(join(dataDir, file), '');
  expect(openDataFolder(dataDir).postgres).toBe(join(dataDir, 'postgres'));
});

test("somebody else's files are named, and stay as they are", () => {
  writeFileSync(join(dataDir, 'letter.txt'), '');
  expect(() => openDataFolder(dataDir)).toThrow(`${dataDir} holds other files (letter.txt)`);
});
