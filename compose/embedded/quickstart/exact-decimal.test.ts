import fc from 'fast-check';
import { expect, test } from 'vitest';
import { add, divideToCents, formatDecimal, multiply, parseDecimal } from './exact-decimal.ts';

const decimals = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 20n }), fc.integer({ min: 0, max: 12 }))
  .map(([units, scale]) => ({ units, scale }));

test('110.53 × 1.04 is 114.9512', () => {
  expect(formatDecimal(multiply(parseDecimal('110.53'), parseDecimal('1.04')))).toBe('114.9512');
});

test('0.1 + 0.2 is 0.3', () => {
  expect(formatDecimal(add(parseDecimal('0.1'), parseDecimal('0.2')))).toBe('0.3');
});

test('what is written is read as the same number', () => {
  fc.assert(
    fc.property(decimals, (value) => {
      const again = parseDecimal(formatDecimal(value));
      expect(again.units * 10n ** BigInt(value.scale)).toBe(value.units * 10n ** BigInt(again.scale));
    }),
  );
});

test('an average is rounded half up to cents', () => {
  expect(divideToCents(parseDecimal('0.01'), 2)).toBe('0.01');
  expect(divideToCents(parseDecimal('10'), 3)).toBe('3.33');
  expect(divideToCents(parseDecimal('20'), 3)).toBe('6.67');
  fc.assert(
    fc.property(decimals, fc.integer({ min: 1, max: 1000 }), (sum, count) => {
      const cents = BigInt(divideToCents(sum, count).replace('.', ''));
      // |cents/100 - sum/count| ≤ 1/200
      const scale = 10n ** BigInt(sum.scale);
      const difference = 2n * (cents * scale * BigInt(count) - 100n * sum.units);
      expect(difference <= scale * BigInt(count) && difference > -scale * BigInt(count)).toBe(true);
    }),
  );
});

test('what is no decimal is refused', () => {
  for (const text of ['', '1e3', '1,5', 'NaN', '.5', '1.'])
    expect(() => parseDecimal(text)).toThrow('not a decimal');
});
