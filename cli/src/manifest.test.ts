import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { makeManifest } from '../scripts/write-manifest.ts';

test('oclif.manifest.json, the snapshot of commands and flags, is current (npm run manifest -w cli)', async () => {
  const file = new URL('../oclif.manifest.json', import.meta.url);
  expect(readFileSync(file, 'utf8')).toBe(await makeManifest());
});

test('every command has a summary and examples', async () => {
  const { commands } = JSON.parse(await makeManifest()) as {
    commands: Record<string, { summary?: string; examples?: unknown[] }>;
  };
  for (const [id, { summary, examples = [] }] of Object.entries(commands)) {
    expect(summary, id).toBeTruthy();
    expect(examples.length, id).toBeGreaterThanOrEqual(2);
  }
});
