import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { assembleDist } from './assemble-dist.ts';
import { buildWorkspace } from './build-workspace.ts';

function repositoryWith(files: Record<string, string | object>): string {
  const repository = mkdtempSync(join(tmpdir(), 'jobber-build-'));
  onTestFinished(() => rmSync(repository, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    const file = join(repository, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  }
  return repository;
}

function run(script: string) {
  return spawnSync(process.execPath, [script], { encoding: 'utf8' });
}

test('a built daemon starts: it finds its own files, its data and the other workspaces, all as JavaScript', () => {
  const repository = repositoryWith({
    'package.json': { workspaces: ['shared', 'daemons/greeter'] },
    'shared/package.json': { name: '@jobber/shared', type: 'module', exports: { './*': './*/index.ts' } },
    'shared/words/index.ts': "export type Word = string;\nexport const hello: Word = 'Hello';\n",
    'daemons/greeter/package.json': {
      name: '@jobber/greeter',
      type: 'module',
      exports: { './main': './main.ts' },
      scripts: { build: 'x' },
    },
    'daemons/greeter/main.ts': [
      "import { readFileSync } from 'node:fs';",
      "import { hello, type Word } from '@jobber/shared/words';",
      "import settings from './settings.json' with { type: 'json' };",
      "import { shout } from './shout.ts';",
      "const name: Word = readFileSync(new URL('./name.graphql', import.meta.url), 'utf8').trim();",
      "const lazy = await import('./shout.ts');",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the source of the program under test
      'console.log(`${shout(hello)} ${lazy.shout(name)}${settings.mark} ${import.meta.url.slice(-7)}`);',
      "console.log(import.meta.resolve('@jobber/greeter/main') === import.meta.url);",
    ].join('\n'),
    'daemons/greeter/shout.ts':
      'export function shout(text: string): string {\n  return text.toUpperCase();\n}\n',
    'daemons/greeter/shout.test.ts': "throw new Error('a test is no part of a release');\n",
    'daemons/greeter/test-names.ts': "throw new Error('neither is what tests share');\n",
    'daemons/greeter/name.graphql': 'world\n',
    'daemons/greeter/settings.json': { mark: '!' },
    'daemons/greeter/.env': 'SECRET=1\n',
  });
  for (const folder of ['shared', 'daemons/greeter']) buildWorkspace(join(repository, folder));
  expect(assembleDist(repository)).toEqual(['daemons/greeter', 'shared']);

  // Nothing of the sources is needed any more.
  for (const folder of ['shared', 'daemons']) rmSync(join(repository, folder), { recursive: true });
  const started = run(join(repository, 'dist/daemons/greeter/main.js'));
  expect(started.stderr).toBe('');
  expect(started.stdout).toBe('HELLO WORLD! main.js\ntrue\n');
  for (const left of [
    'shout.test.js',
    'shout.test.ts',
    'test-names.js',
    'main.ts',
    '.env',
    'tsconfig.build.json',
  ]) {
    expect(existsSync(join(repository, 'dist/daemons/greeter', left)), left).toBe(false);
  }
});

test('a stack trace of a built program names the source line', () => {
  const repository = repositoryWith({
    'one/package.json': { name: 'one', type: 'module' },
    'one/main.ts': "interface Padding {\n  a: string;\n}\n\nthrow new Error('here') as Padding & Error;\n",
    'package.json': { workspaces: ['one'] },
  });
  buildWorkspace(join(repository, 'one'));
  assembleDist(repository);
  const failed = spawnSync(process.execPath, ['--enable-source-maps', join(repository, 'dist/one/main.js')], {
    encoding: 'utf8',
  });
  expect(failed.stderr).toContain('main.ts:5:7');
});

test('a workspace that was not built is named', () => {
  const repository = repositoryWith({
    'package.json': { workspaces: ['one'] },
    'one/package.json': { name: 'one' },
  });
  expect(() => assembleDist(repository)).toThrow('one is not built');
});
