import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bundlesFolder, currentPrograms, INSTALLED_PACKAGES } from '../compose/embedded/platform/bundles.ts';
import { sourcePrograms } from '../compose/embedded/platform/daemon-programs.ts';
import { bundlePrograms } from './bundle-programs.ts';

const SAYS_ITS_WORDS = "import { words } from '../../words.ts';\nprocess.stdout.write(words());\n";
const WORDS =
  "import type { Word } from './word.ts';\nexport function words(): Word {\n  return 'Hello';\n}\n";

/** A repository of programs that say what a module of its own and a package tell them. */
function repository() {
  const root = mkdtempSync(join(tmpdir(), 'jobber-bundles-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const write = (path: string, content: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  write('package.json', '{"type":"module"}');
  write(INSTALLED_PACKAGES, '{}');
  write('node_modules/loud/package.json', '{"name":"loud","main":"index.js"}');
  write('node_modules/loud/index.js', "exports.mark = '!';\n");
  write('words.ts', WORDS);
  write('word.ts', 'export type Word = string;\n');
  for (const daemon of ['auth', 'products', 'jobs', 'executor'])
    write(`daemons/${daemon}/main.ts`, SAYS_ITS_WORDS);
  write(
    'db/migrate.ts',
    "import { mark } from 'loud';\nclass Change {}\nconsole.log(new Change().constructor.name + mark);\n",
  );
  return { root, write };
}

function outputOf(program: string): string {
  const { stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
  return stdout + stderr;
}

test('a program becomes one file, with its packages, that does the same', async () => {
  const { root } = repository();
  await bundlePrograms(root);
  const { daemon, migrate } = currentPrograms(root);
  rmSync(join(root, 'node_modules/loud'), { recursive: true });
  for (const program of [daemon('jobs'), migrate]) expect(program.startsWith(bundlesFolder(root))).toBe(true);
  expect(outputOf(daemon('jobs'))).toBe('Hello');
  expect(outputOf(migrate)).toBe('Change!\n');
});

test.each([
  ['a source changes', 'words.ts', WORDS.replace('Hello', 'Howdy')],
  ['packages change', INSTALLED_PACKAGES, '{"packages":{}}'],
])('once %s, the sources are run', async (_what, path, content) => {
  const { root, write } = repository();
  await bundlePrograms(root);
  write(path, content);
  expect(currentPrograms(root).daemon('auth')).toBe(sourcePrograms(root).daemon('auth'));
  await bundlePrograms(root);
  expect(currentPrograms(root).daemon('auth')).not.toBe(sourcePrograms(root).daemon('auth'));
});

test('when a source is gone, or nothing was bundled, the sources are run', async () => {
  const { root } = repository();
  expect(currentPrograms(root).migrate).toBe(sourcePrograms(root).migrate);
  await bundlePrograms(root);
  rmSync(join(root, 'words.ts'));
  expect(currentPrograms(root).migrate).toBe(sourcePrograms(root).migrate);
});

test('of sources that cannot be bundled nothing is left that could be run', async () => {
  const { root, write } = repository();
  await bundlePrograms(root);
  write('words.ts', 'export function words( {');
  await expect(bundlePrograms(root)).rejects.toThrow();
  write('words.ts', WORDS);
  expect(currentPrograms(root).migrate).toBe(sourcePrograms(root).migrate);
  expect(existsSync(join(bundlesFolder(root), 'bundles.json'))).toBe(false);
});

test('a package that looks for files beside itself is not bundled unnoticed', async () => {
  const { root, write } = repository();
  write('node_modules/loud/index.js', "exports.mark = require('node:fs').existsSync(__dirname + '/mark');\n");
  await expect(bundlePrograms(root)).rejects.toThrow('looks for files beside itself');
});
