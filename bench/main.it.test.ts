import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import type { Figure } from './report.ts';

const BENCH = fileURLToPath(new URL('main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'jobber-bench-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function bench(...args: string[]): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, [BENCH, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

test('a quick run of the engine gives every figure, in the table and as JSON', async () => {
  const file = join(folder, 'engine.json');
  const { code, output } = await bench('engine', '--quick', '--no-peers', '--json', file);
  expect(code, output).toBe(0);
  const { results } = JSON.parse(readFileSync(file, 'utf8')) as { results: Record<string, Figure[]> };
  expect(Object.keys(results)).toEqual([
    'Engine: memory, idle',
    'Engine: idle latency',
    'Engine: rates',
    'Engine: memory after the rates',
    'Engine: nothing stored',
    'Engine: 2,000 finished jobs stored',
    'Engine: lists of jobs',
    'Engine: and 200 ready jobs of a type that nobody runs',
    'Engine: and 200 scheduled jobs of the type that is measured',
    'Engine: memory after all that',
  ]);
  for (const { name, value } of Object.values(results).flat()) {
    expect(value, name).toBeGreaterThan(0);
    expect(output).toContain(name);
  }
}, 400_000);

test('a measurement that there is not is refused with the list of those that there are', async () => {
  const { code, output } = await bench('engines');
  expect(code).toBe(2);
  expect(output).toContain('There is no measurement engines.');
  expect(output).toContain('engine ');
});
