import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findContractions } from './find-contractions.ts';

const repository = new URL('..', import.meta.url);
const migration = (up: string, down = '') =>
  `class M { override up(): void { this.addSql(\`${up}\`); }\n override down(): void { this.addSql(\`${down}\`); } }`;

test.each([
  'create table a (id int not null)',
  'alter table a add column b int',
  'alter table a add column b int not null default 0, add column c text',
  'create index a_b on a (b)',
  'drop index a_b',
  'create trigger a_b after insert or delete or truncate on a for each statement execute function f()',
])('%s only adds', (statement) => {
  expect(findContractions(migration(statement, 'drop table a'))).toEqual([]);
});

test.each([
  ['drop table a', 'drops a table, column, view or type'],
  ['alter table a drop column b', 'drops a table, column, view or type'],
  ['alter table a rename column b to c', 'renames something'],
  ['alter table a alter column b type bigint', 'changes the type of a column'],
  ['alter table a alter b set data type bigint', 'changes the type of a column'],
  ['alter table a alter column b set not null', 'makes a column required'],
  ['alter table a add column b int not null', 'adds a required column without a default'],
  ['alter table a alter column b drop default', 'takes a default away'],
  ['delete from a', 'deletes rows'],
  ['truncate a', 'deletes rows'],
])('%s takes something away, unless a comment says since when nobody uses it', (statement, what) => {
  expect(findContractions(migration(statement))).toEqual([what]);
  expect(findContractions(migration(`${statement} -- contract: unused since v0.3.0`))).toEqual([]);
});

const body = (what: string) => `create or replace function f() returns trigger language plpgsql as ${what}`;

test('what a function does when it is called is not done by the migration', () => {
  expect(findContractions(migration(body('$$ begin delete from a; truncate b; end $$')))).toEqual([]);
  expect(findContractions(migration(body('$f$ begin execute $$ drop table a $$; end $f$')))).toEqual([]);
  expect(
    findContractions(migration(`${body('$$ begin end $$')}; create function g() as $$ truncate a $$`)),
  ).toEqual([]);
});

test.each([
  `${body('$$ begin end $$')}; delete from a`,
  `delete from a; ${body('$$ begin end $$')}`,
  `${body('$$ begin end $$')}; do $$ begin delete from a; end $$`,
  `${body("'begin end'")}; do $$ begin delete from a; end $$`,
])('what the migration does beside making a function counts: %s', (statement) => {
  expect(findContractions(migration(statement))).toEqual(['deletes rows']);
});

function git(...args: string[]): string {
  return execFileSync('git', args, {
    cwd: repository,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

/** The last release, or why there is nothing to compare with. */
function lastRelease(): { tag: string } | { missing: string } {
  try {
    return { tag: git('describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*') };
  } catch {
    return { missing: 'there is no release yet: no tag v* to compare the migrations with' };
  }
}

test('since the last release migrations only add, and released ones have not changed', (context) => {
  const release = lastRelease();
  if ('missing' in release) return context.skip(release.missing);
  const changed = git('diff', '--name-status', '--no-renames', release.tag, '--', 'db/*/migrations/*.ts')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t') as [string, string]);
  expect(changed.filter(([status]) => status !== 'A')).toEqual([]);
  const contractions = changed.map(([, path]) => [
    path,
    findContractions(readFileSync(new URL(path, repository), 'utf8')),
  ]);
  expect(contractions.filter(([, found]) => found?.length)).toEqual([]);
});
