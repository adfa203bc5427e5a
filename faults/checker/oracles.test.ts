import { expect, test } from 'vitest';
import { fibonacciOracle } from './fibonacci-oracle.ts';
import { priceOracle, sameDecimal } from './price-oracle.ts';

test('the Fibonacci oracle knows the beginning of the sequence, and the hundredth number to its last digit', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7].map(fibonacciOracle)).toEqual(['0', '1', '1', '2', '3', '5', '8', '13']);
  expect(fibonacciOracle(100)).toBe('354224848179261915075');
});

test('the price oracle is exact, also where a float is not', () => {
  expect(priceOracle(110.53, 'Grocery')).toBe('112.7406');
  expect(priceOracle(110.53, 'Home & Kitchen')).toBe('114.9512');
  expect(priceOracle(0.1, 'Electronics')).toBe('0.105');
  expect(priceOracle('1e-7', 'Furniture')).toBe('0.000000106');
  expect(priceOracle(9_999_999_999, 'Unknown')).toBe('9999999999');
  expect(priceOracle(10, 'toString')).toBe('10');
});

test('two ways to write a number are the same decimal, two numbers are not', () => {
  expect(sameDecimal('4.50', 4.5)).toBe(true);
  expect(sameDecimal('0', '-0')).toBe(true);
  expect(sameDecimal('114.9512', '114.9513')).toBe(false);
  expect(sameDecimal('nonsense', 'nonsense too')).toBe(true);
  expect(sameDecimal('nonsense', 1)).toBe(false);
});
