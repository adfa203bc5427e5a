import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readTable } from '../../scripts/markdown-blocks.ts';

interface Manifest {
  workspaces?: string[];
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const repository = new URL('../../', import.meta.url);
const page = readFileSync(new URL('0001-libraries.md', import.meta.url), 'utf8');
const root = readManifest('package.json');
const manifests = [
  root,
  ...globSync(root.workspaces ?? [], { cwd: repository }).map((folder) =>
    readManifest(`${folder}/package.json`),
  ),
];

test('every dependency is listed with its reason, and no other', () => {
  const used = manifests.flatMap(({ dependencies, optionalDependencies }) =>
    Object.keys({ ...dependencies, ...optionalDependencies }),
  );
  const foreign = new Set(used.filter((name) => !name.startsWith('@jobber/')));
  expect(listed('libraries')).toEqual([...foreign].sort());
});

test('every tool is listed with its reason, and no other', () => {
  const used = new Set(manifests.flatMap(({ devDependencies }) => Object.keys(devDependencies ?? {})));
  // What tests of one workspace and programs of another use is a library.
  const libraries = listed('libraries');
  expect(listed('tools')).toEqual([...used].filter((name) => !libraries.includes(name)).sort());
});

test('every version is pinned exactly', () => {
  for (const { dependencies, optionalDependencies, devDependencies } of manifests) {
    const versions = Object.entries({ ...dependencies, ...optionalDependencies, ...devDependencies });
    for (const [name, version] of versions) expect(`${name} ${version}`).toMatch(/ \d+\.\d+\.\d+(-[\w.]+)?$/);
  }
});

function listed(table: string): string[] {
  const names = readTable(page, table).flatMap(([cell = '']) => cell.replaceAll('`', '').split(', '));
  return names.sort();
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(new URL(path, repository), 'utf8')) as Manifest;
}
