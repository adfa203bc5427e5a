import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readBlock, readTable } from '../scripts/markdown-blocks.ts';

const repository = new URL('..', import.meta.url);
const page = readFileSync(new URL('operations.md', import.meta.url), 'utf8');
const sources = globSync('{daemons,compose,db,cli}/**/*.ts', {
  cwd: repository,
  exclude: (name) => name === 'node_modules' || name === 'dist' || name.endsWith('.test.ts'),
}).map((path) => readFileSync(new URL(path, repository), 'utf8'));
const code = sources.join('\n');
const metrics = new Set([...code.matchAll(/name: '(jobber_\w+)'/g)].map(([, name]) => name));

test('the metrics of the table are those of the code', () => {
  const documented = readTable(page, 'metrics').map(([name]) => name);
  expect(documented.filter((name) => !metrics.has(name))).toEqual([]);
  expect(new Set(documented).size).toBe(documented.length);
});

test('alerts ask for metrics that exist', () => {
  const asked = [...readBlock(page, 'alerts').matchAll(/jobber_\w+/g)].map(([name]) =>
    name.replace(/_(count|sum|bucket)$/, ''),
  );
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.filter((name) => !metrics.has(name))).toEqual([]);
});

test('the texts that people are told to look for are those that the programs write', () => {
  const texts = readTable(page, 'errors')
    .map(([cell = '']) => cell)
    // Written as code as a whole: a text. Others describe what is seen.
    .filter((cell) => !cell.includes('`') && !/^(jobs|tasks) /.test(cell));
  expect(texts.length).toBeGreaterThan(8);
  expect(texts.filter((text) => !code.includes(text))).toEqual([]);
});
