import { expect, test } from 'vitest';
import { arrangeArguments } from './arrange-arguments.ts';

const words = (text: string) => arrangeArguments(text.split(' ')).join(' ');

test('global flags may stand in front of the command', () => {
  expect(words('--json --profile prod job list')).toBe('job list --json --profile prod');
  expect(words('--server=http://a job run x -- y')).toBe('job run x --server=http://a -- y');
});

test('help may be asked for in front', () => {
  expect(words('help job run')).toBe('job run --help');
  expect(words('--help job')).toBe('job --help');
  expect(words('help')).toBe('--help');
});

test('everything else stays where it is', () => {
  expect(words('job run fibonacci --iterations 5 --json')).toBe('job run fibonacci --iterations 5 --json');
});
