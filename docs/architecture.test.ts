import { globSync, readFileSync } from 'node:fs';
import { PERMISSIONS_OF_ROLE, ROLES } from '@jobber/shared/auth-guard';
import { expect, test } from 'vitest';
import { readTable } from '../scripts/markdown-blocks.ts';

const page = readFileSync(new URL('architecture.md', import.meta.url), 'utf8');

test('the tables of transitions name every file of the transitions, once', () => {
  const folder = new URL('../daemons/jobs/transitions/', import.meta.url);
  const files = globSync('*.ts', { cwd: folder }).filter((file) => !file.endsWith('.test.ts'));
  const transitions = readTable(page, 'transitions').map((row) => row[2]);
  const parts = readTable(page, 'transition-parts').map((row) => row[0]);
  expect([...transitions, ...parts].sort()).toEqual(files.sort());
});

test('the diagrams name transitions that exist', () => {
  const named = [...page.matchAll(/^ +\S+ --> \S+: ([a-z]+-[a-z-]+(?:, [a-z]+-[a-z-]+)*)$/gm)];
  expect(named.length).toBeGreaterThan(10);
  const transitions = readTable(page, 'transitions').map((row) => row[2]);
  for (const [, names = ''] of named) {
    for (const name of names.split(', ')) expect(transitions).toContain(`${name}.ts`);
  }
});

test('the roles have the permissions that the table names', () => {
  const rows = readTable(page, 'roles');
  expect(rows.map(([role]) => role)).toEqual([...ROLES]);
  let permissions: string[] = [];
  for (const [index, [, cell = '']] of rows.entries()) {
    permissions = [...permissions, ...cell.replace(/^those of \w+, and /, '').split(', ')];
    expect(permissions).toEqual(PERMISSIONS_OF_ROLE[ROLES[index]!]);
  }
});
