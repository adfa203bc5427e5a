import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainDecimal } from './plain-decimal.ts';

test('numbers are written as people write them', () => {
  expect([110.53, 0, 12, 1e-7, 1.5e-7, 1e21, 1.25e21, 0.1].map(plainDecimal)).toEqual([
    '110.53',
    '0',
    '12',
    '0.0000001',
    '0.00000015',
    '1000000000000000000000',
    '1250000000000000000000',
    '0.1',
  ]);
});

test('a decimal reads as the number it was made of, and has no exponent', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const decimal = plainDecimal(value);
      expect(decimal).toMatch(/^-?\d+(\.\d+)?$/);
      expect(Number(decimal)).toBe(value === 0 ? 0 : value);
    }),
  );
});
