import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fibonacciNumber } from './fibonacci-number.ts';
import { fibonacci } from './index.ts';

const indexes = fc.integer({ min: 1, max: 5_000 });

function naiveSum(n: number): bigint {
  let [current, next] = [0n, 1n];
  for (let i = 0; i < n; i++) [current, next] = [next, current + next];
  return current;
}

test('the sequence begins with 0, 1, 1, 2, 3, 5, 8', () => {
  expect([0, 1, 2, 3, 4, 5, 6].map(fibonacciNumber)).toEqual([0n, 1n, 1n, 2n, 3n, 5n, 8n]);
});

test('the hundredth number is exact, beyond what a 64-bit float holds', () => {
  expect(fibonacciNumber(100)).toBe(354224848179261915075n);
});

test('every number is the one that adding step by step gives', () => {
  fc.assert(fc.property(indexes, (n) => fibonacciNumber(n) === naiveSum(n)));
});

test('each number is the sum of the two before it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 60_000 }),
      (n) => fibonacciNumber(n) === fibonacciNumber(n - 1) + fibonacciNumber(n - 2),
    ),
  );
});

test("Cassini's identity holds: F(n-1) · F(n+1) - F(n)² = (-1)ⁿ", () => {
  fc.assert(
    fc.property(indexes, (n) => {
      const square = fibonacciNumber(n) ** 2n;
      return fibonacciNumber(n - 1) * fibonacciNumber(n + 1) - square === (n % 2 === 0 ? 1n : -1n);
    }),
  );
});

test('F(m+n) = F(m) · F(n+1) + F(m-1) · F(n)', () => {
  fc.assert(
    fc.property(indexes, indexes, (m, n) => {
      const sum = fibonacciNumber(m) * fibonacciNumber(n + 1) + fibonacciNumber(m - 1) * fibonacciNumber(n);
      return fibonacciNumber(m + n) === sum;
    }),
  );
});

test('a task answers one result per item, as decimal digits', async () => {
  const { items } = await fibonacci.run({
    jobId: 1,
    ownerId: '00000000-0000-4000-8000-000000000001',
    items: [
      { index: 0, value: { iterations: 0 } },
      { index: 1, value: { iterations: 100 } },
    ],
    signal: new AbortController().signal,
    log: () => {},
    progress: () => {},
    services: { createProducts: () => Promise.reject(new Error('not used')) },
  });
  expect(items).toEqual([
    { status: 'succeeded', result: { number: '0', digits: 1, ms: expect.any(Number) } },
    { status: 'succeeded', result: { number: '354224848179261915075', digits: 21, ms: expect.any(Number) } },
  ]);
});

test('the longest number that the schema allows fits into one result, and a task of them into one message', async () => {
  const longest = fibonacciNumber(1_000_000).toString();
  expect(longest).toHaveLength(208_988);
  const result = JSON.stringify({ number: longest, digits: longest.length, ms: 99_999.999 });
  expect(result.length).toBeLessThan(256 * 1024);
  expect(result.length * fibonacci.itemsPerTask).toBeLessThan(6 * 1024 * 1024);
});
