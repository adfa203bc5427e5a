import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  scripts: Record<string, string>;
};

test('what runs for long takes the place of the shell, so that a signal to npm reaches it', () => {
  const long = Object.entries(scripts).filter(([name]) => /^(start:|quickstart$)/.test(name));
  expect(long.length).toBeGreaterThan(8);
  expect(long.filter(([, command]) => !command.startsWith('exec '))).toEqual([]);
});
