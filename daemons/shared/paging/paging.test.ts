import { expect, test } from 'vitest';
import { checkLimit } from './index.ts';

test.each([1, 50, 200])('a limit of %j is taken', (limit) => {
  expect(checkLimit(limit, 200)).toBe(limit);
});

test.each([0, -1, 1.5, 201, Number.NaN, 1e308])(
  'a limit of %j is refused, and the largest is told',
  (limit) => {
    expect(() => checkLimit(limit, 200)).toThrow(`limit must be a whole number from 1 to 200, got ${limit}`);
  },
);
