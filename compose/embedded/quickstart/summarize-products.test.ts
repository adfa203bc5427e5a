import { expect, test } from 'vitest';
import { explainPrice, pickExample } from './explain-price.ts';
import { renderTable } from './render-table.ts';
import { summarizeProducts } from './summarize-products.ts';

const CATEGORIES = [
  { name: 'Home & Kitchen', charge: '4' },
  { name: 'Grocery', charge: '2.0' },
];
const PRODUCTS = [
  { id: '1', name: 'Kettle', category: 'Home & Kitchen', basePrice: '110.53', price: '114.9512', stock: 3 },
  { id: '2', name: 'Pan', category: 'Home & Kitchen', basePrice: '10', price: '10.4', stock: 2 },
  { id: '3', name: 'Comet', category: 'Space', basePrice: '7.5', price: '7.5', stock: 1 },
];

test('each category that occurs is a row, an unknown one has no charge, and the last row is the sum', () => {
  expect(summarizeProducts(PRODUCTS, CATEGORIES)).toEqual([
    ['Category', 'Charge', 'Products', 'In stock', 'Average price'],
    ['Home & Kitchen', '4 %', '2', '5', '62.68'],
    ['Space', 'none', '1', '1', '7.50'],
    ['All', '', '3', '6', '44.28'],
  ]);
});

test('the table is aligned', () => {
  const lines = renderTable(summarizeProducts(PRODUCTS, CATEGORIES));
  expect(lines).toHaveLength(6);
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
});

test('the example is the product whose price has the most digits, worked out', () => {
  const example = pickExample(PRODUCTS, CATEGORIES);
  expect(example?.product.name).toBe('Kettle');
  expect(explainPrice(PRODUCTS[0]!, '4')).toBe('110.53 × 1.04 = 114.9512');
});

test('a price that is not what the charge makes is found out', () => {
  expect(() => explainPrice({ ...PRODUCTS[0]!, price: '114.95' }, '4')).toThrow('should be 114.9512');
});
