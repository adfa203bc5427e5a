import { expect, test } from 'vitest';
import { didYouMean, editDistance, suggest } from './suggest.ts';

test('a slip of the finger is recognised, whatever the case', () => {
  expect(suggest('fibonaci', ['load-products', 'fibonacci'])).toBe('fibonacci');
  expect(suggest('LoadProduct', ['load-products', 'fibonacci'])).toBe('load-products');
  expect(suggest('rnu', ['run', 'show'])).toBe('run');
  expect(suggest('iter', ['iterations', 'input'])).toBe('iterations');
});

test('nothing is suggested when nothing is near', () => {
  expect(suggest('xyzzy', ['run', 'show', 'list'])).toBeUndefined();
  expect(didYouMean('xyzzy', ['run'])).toBe('');
});

test('two swapped letters are one slip', () => {
  expect(editDistance('rnu', 'run')).toBe(1);
  expect(editDistance('', 'abc')).toBe(3);
});
