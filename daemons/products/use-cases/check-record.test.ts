import type { ProductRecord } from '@jobber/proto/products/v1/products';
import { expect, test } from 'vitest';
import { product } from '../test-products.ts';
import { checkRecord } from './check-record.ts';

const MAX = { name: 'n'.repeat(255), category: 'c'.repeat(255), description: 'd'.repeat(10_000) };

test.each<[string, Partial<ProductRecord>]>([
  ['the longest texts', MAX],
  ['characters outside the BMP count as one', { name: '𝄞'.repeat(255), description: '😀'.repeat(10_000) }],
  ['an empty description', { description: '' }],
  ['blanks around a name, and for a description', { name: ' Lamp ', description: ' ' }],
  ['nothing at no price', { price: '0', stock: 0, rating: '0' }],
  ['the largest numbers', { price: '9999999999.9999999999', stock: 2_147_483_647, rating: '5.0000' }],
  ['many decimals', { price: `0.${'0'.repeat(323)}5`, rating: '4.99999999999999911' }],
  ['formulas and markup, which are text', { name: '=HYPERLINK("http://x")', category: '<b>', sku: "'--" }],
  ['a sku of 64', { sku: '~'.repeat(64) }],
])('is sound: %s', (_, fields) => {
  expect(checkRecord(product(fields))).toBeUndefined();
});

test.each<[keyof ProductRecord, string | number, string]>([
  ['name', '', 'name must have 1 to 255 characters, got 0'],
  ['name', 'n'.repeat(256), 'name must have 1 to 255 characters, got 256'],
  ['name', ' \u3000\t', 'name must not be only blanks'],
  ['name', 'a\0b', 'name must not hold NUL or lone surrogates'],
  ['name', 'a\ud800b', 'name must not hold NUL or lone surrogates'],
  ['category', '', 'category must have 1 to 255 characters, got 0'],
  ['category', ' ', 'category must not be only blanks'],
  ['category', '\udc00', 'category must not hold NUL or lone surrogates'],
  ['description', 'd'.repeat(10_001), 'description must have 0 to 10000 characters, got 10001'],
  ['description', '\0', 'description must not hold NUL or lone surrogates'],
  ['price', '-1', 'price must be a decimal from 0 to below 10000000000, got "-1"'],
  ['price', '-0', 'price must be a decimal from 0 to below 10000000000, got "-0"'],
  ['price', '1e400', 'price must be a decimal from 0 to below 10000000000, got "1e400"'],
  ['price', '10000000000', 'price must be a decimal from 0 to below 10000000000, got "10000000000"'],
  ['price', '', 'price must be a decimal from 0 to below 10000000000, got ""'],
  ['price', 'NaN', 'price must be a decimal from 0 to below 10000000000, got "NaN"'],
  ['price', 'Infinity', 'price must be a decimal from 0 to below 10000000000, got "Infinity"'],
  ['price', '1.', 'price must be a decimal from 0 to below 10000000000, got "1."'],
  ['price', '1\n', 'price must be a decimal from 0 to below 10000000000, got "1\\n"'],
  ['price', '１２', 'price must be a decimal from 0 to below 10000000000, got "１２"'],
  ['rating', '5.0001', 'rating must be a decimal from 0 to 5, got "5.0001"'],
  ['rating', '6', 'rating must be a decimal from 0 to 5, got "6"'],
  ['rating', '-0.1', 'rating must be a decimal from 0 to 5, got "-0.1"'],
  ['stock', -1, 'stock must be a whole number from 0 to 2147483647, got -1'],
  ['stock', 1.5, 'stock must be a whole number from 0 to 2147483647, got 1.5'],
  ['stock', 2_147_483_648, 'stock must be a whole number from 0 to 2147483647, got 2147483648'],
  ['stock', Number.NaN, 'stock must be a whole number from 0 to 2147483647, got NaN'],
  ['sku', '', 'sku must have 1 to 64 printable ASCII characters without spaces'],
  ['sku', 's'.repeat(65), 'sku must have 1 to 64 printable ASCII characters without spaces'],
  ['sku', 'a b', 'sku must have 1 to 64 printable ASCII characters without spaces'],
  ['sku', 'ä', 'sku must have 1 to 64 printable ASCII characters without spaces'],
  ['sku', 'a\0', 'sku must have 1 to 64 printable ASCII characters without spaces'],
])('%s %j is refused by name', (field, value, message) => {
  expect(checkRecord(product({ [field]: value }))).toEqual({ field, message });
});

test('a long bad number is told in part', () => {
  expect(checkRecord(product({ price: '9'.repeat(100_000) }))?.message).toHaveLength(99);
});
