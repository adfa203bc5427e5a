import { globSync, readFileSync } from 'node:fs';
import { PERMISSIONS_OF_ROLE, ROLES } from '@jobber/shared/auth-guard';
import { expect, test } from 'vitest';
import { JOB_CHANGES, TASK_CHANGES } from '../daemons/jobs/transitions/state-machine.ts';
import { readTable } from '../scripts/markdown-blocks.ts';

const page = readFileSync(new URL('architecture.md', import.meta.url), 'utf8');

test('the tables of transitions name every file of the transitions, once', () => {
  const folder = new URL('../daemons/jobs/transitions/', import.meta.url);
  const files = globSync('*.ts', { cwd: folder }).filter((file) => !file.endsWith('.test.ts'));
  const transitions = readTable(page, 'transitions').map((row) => row[2]);
  const parts = readTable(page, 'transition-parts').map((row) => row[0]);
  expect([...transitions, ...parts].sort()).toEqual(files.sort());
});

test('the diagrams show the changes of state that the table has, and no others', () => {
  const drawn = [...page.matchAll(/^ +(\S+) --> (\S+): ([a-z, -]+)$/gm)].flatMap(([, from, to, names = '']) =>
    names.split(', ').map((name) => `${name}: ${from} --> ${to}`),
  );
  const changes = [...TASK_CHANGES, ...JOB_CHANGES].map(
    ([name, from, to]) => `${name}: ${from ?? '[*]'} --> ${to}`,
  );
  expect(drawn.sort()).toEqual(changes.sort());
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
