import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { testStorageContract } from '../testing/storage-contract.ts';
import { createLocalStorage } from './local-storage.ts';

const folder = await mkdtemp(join(tmpdir(), 'jobber-storage-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

testStorageContract('a folder', async () => ({
  storage: createLocalStorage(folder),
  leftovers: async () => (await readdir(folder)).map((name) => name.replace('.part', '')),
}));
