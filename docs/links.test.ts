import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type CommandManifest, commandTable } from '../scripts/command-table.ts';
import { readBlock, readTable } from '../scripts/markdown-blocks.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(repository, path), 'utf8');
const pages = globSync('**/*.md', { cwd: repository, exclude: ['**/node_modules', '**/dist'] }).sort();
// npm runs `postinstall` by itself; nobody types it.
const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts).filter(
  (name) => name !== 'postinstall',
);
const manifest = JSON.parse(read('cli/oclif.manifest.json')) as CommandManifest;
const commands = Object.keys(manifest.commands).map((id) => id.split(':'));

test('every link leads somewhere', () => {
  const dead = findInPages((page, text) => linksIn(text).filter((link) => !leadsSomewhere(page, link)));
  expect(dead).toEqual([]);
});

test('every npm script that is named exists', () => {
  const unknown = findInPages((_, text) =>
    codeIn(text)
      .flatMap((code) => [...code.matchAll(/\bnpm run ([a-z][\w:-]*)/g)])
      .map(([, script = '']) => script)
      .filter((script) => !scripts.includes(script)),
  );
  expect(unknown).toEqual([]);
});

test('every command of jobber that is named exists', () => {
  const unknown = findInPages((_, text) => {
    const lines = codeIn(text).flatMap((code) => code.split('\n'));
    return lines.filter((line) => {
      const [, typed = '', next] =
        /^(?:\$ )?(?:npx )?jobber ((?:[a-z][a-z-]*\b ?)+)(.?)/.exec(line.trim()) ?? [];
      // With a colon it is the title of something that jobber prints.
      return typed !== '' && next !== ':' && !isCommand(typed.split(' '));
    });
  });
  expect(unknown).toEqual([]);
});

test('every file that is named exists, unless it is made by a build or by the user', () => {
  const made = /^dist|\.env$/;
  const missing = findInPages((_, text) =>
    codeIn(text)
      .filter((code) => /^(cli|compose|daemons|db|docs|proto|scripts|bench|assets)\/[\w./-]+$/.test(code))
      .filter((path) => !made.test(path) && !existsSync(join(repository, path))),
  );
  expect(missing).toEqual([]);
});

test("the README's table of commands is that of the CLI (`node scripts/record-transcript.ts --commands` writes it)", () => {
  expect(readBlock(read('README.md'), 'commands')).toBe(commandTable(manifest));
});

test("the README's table of scripts has all of them, once", () => {
  const named = readTable(read('README.md'), 'scripts').map(([cell = '']) =>
    cell.replace(/^npm (run )?/, ''),
  );
  expect(named.sort()).toEqual([...scripts].sort());
});

/** What is wrong in any page, with the page's name. */
function findInPages(find: (page: string, text: string) => string[]): string[] {
  return pages.flatMap((page) => find(page, read(page)).map((problem) => `${page}: ${problem}`));
}

/** Targets of links and images, without those of other sites. */
function linksIn(markdown: string): string[] {
  const prose = markdown.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`(?!\])/g, '');
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** Blocks and spans of code. */
function codeIn(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/^```\w*\n([\s\S]*?)^```/gm)].map(([, code = '']) => code);
  const spans = [...markdown.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)];
  return [...blocks, ...spans.map(([, code = '']) => code)];
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(repository, target))) return false;
  return anchor === undefined || anchorsOf(read(target)).includes(anchor);
}

/** As GitHub makes them of headings. */
function anchorsOf(markdown: string): string[] {
  const headings = [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

/** Whether words begin with a command, or are a topic. */
function isCommand(words: readonly string[]): boolean {
  const first = words.filter((word) => word !== '');
  return commands.some(
    (command) =>
      command.every((word, at) => first[at] === word) ||
      (first.length < command.length && first.every((word, at) => command[at] === word)),
  );
}
