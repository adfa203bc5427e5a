import { expect, test } from 'vitest';
import { createBackoff } from './backoff.ts';

test('the delay doubles from 250 ms up to 10 s', () => {
  const next = createBackoff();
  expect(Array.from({ length: 8 }, () => next(100))).toEqual([
    250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000,
  ]);
});

test('after a minute of health it begins anew', () => {
  const next = createBackoff();
  next(100);
  next(100);
  expect(next(59_999)).toBe(1000);
  expect(next(60_000)).toBe(250);
  expect(next(100)).toBe(500);
});
