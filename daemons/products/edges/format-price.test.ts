import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDecimal, formatPrice } from './format-price.ts';

test('prices have at least two decimals, and all that count', () => {
  const prices = ['0', '105', '105.0', '105.00', '12.5', '114.9512', '114.95120', '0.0000001', '9999999999'];
  expect(prices.map(formatPrice)).toEqual([
    '0.00',
    '105.00',
    '105.00',
    '105.00',
    '12.50',
    '114.9512',
    '114.9512',
    '0.0000001',
    '9999999999.00',
  ]);
});

test('other decimals have no trailing zeros', () => {
  expect(['5', '10', '100', '4.250', '5.00', '0.0'].map(formatDecimal)).toEqual([
    '5',
    '10',
    '100',
    '4.25',
    '5',
    '0',
  ]);
});

test('no format changes a value', () => {
  const digits = fc.stringMatching(/^\d{0,30}$/);
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 12n }), digits, (whole, fraction) => {
      const decimal = fraction ? `${whole}.${fraction}` : String(whole);
      const scaled = (text: string) => {
        const [a = '', b = ''] = text.split('.');
        return BigInt(a + b.padEnd(40, '0'));
      };
      expect(scaled(formatPrice(decimal))).toBe(scaled(decimal));
      expect(scaled(formatDecimal(decimal))).toBe(scaled(decimal));
      expect(formatPrice(decimal)).toMatch(/^\d+\.\d\d(\d*[1-9])?$/);
    }),
  );
});
