import { expect, test } from 'vitest';
import { OWN_NAMES, OWN_VALUE_FLAGS, pickOwnFlags } from './run-flags.ts';

test('the flags of job run itself are picked with their values, and nothing of the type', () => {
  const argv = ['render', '--depth', '3', '--tag', 'a', '--tag=b', '--no-wait', '--fast', '--priority', '-5'];
  expect(pickOwnFlags(argv)).toEqual(['--tag', 'a', '--tag=b', '--no-wait', '--priority', '-5']);
  expect(pickOwnFlags(['render', '--', '--tag', 'a'])).toEqual([]);
});

test('no flag of a type can have the name of one of these, nor of its negation', () => {
  for (const name of ['input', 'wait', 'no-wait', 'timeout', 'priority', 'tag', 'json', 'help', 'profile']) {
    expect(OWN_NAMES).toContain(name);
  }
  expect(OWN_VALUE_FLAGS).toContain('--server');
  expect(OWN_VALUE_FLAGS).not.toContain('--wait');
});
