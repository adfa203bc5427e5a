// Writes the parts of README.md that come from the program itself: the commands, and what `npm run quickstart` prints.
// `--commands` writes the table of commands only.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { type CommandManifest, commandTable } from './command-table.ts';
import { replaceBlock } from './markdown-blocks.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));
const readme = `${repository}README.md`;

function readManifest(): CommandManifest {
  return JSON.parse(readFileSync(`${repository}cli/oclif.manifest.json`, 'utf8')) as CommandManifest;
}

/** @returns what quickstart wrote to stdout, or undefined when it failed */
function runQuickstart(): string | undefined {
  const run = spawnSync('npm', ['run', '--silent', 'quickstart'], {
    cwd: repository,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.stdout.write(run.stdout);
  return run.status === 0 ? stripVTControlCharacters(run.stdout).trim() : undefined;
}

function writeReadme(change: (text: string) => string): void {
  writeFileSync(readme, change(readFileSync(readme, 'utf8')));
}

writeReadme((text) => replaceBlock(text, 'commands', commandTable(readManifest())));
if (!process.argv.includes('--commands')) {
  const output = runQuickstart();
  if (output === undefined) process.exitCode = 1;
  else {
    const transcript = `\`\`\`text\n$ npm run quickstart\n${output.replaceAll(/[ \t]+$/gm, '')}\n\`\`\``;
    writeReadme((text) => replaceBlock(text, 'transcript', transcript));
  }
}
