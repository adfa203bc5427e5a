import { readFileSync } from 'node:fs';
import type { ProductItem, ProductOutcome } from '@jobber/proto/products/v1/products';
import { expect, test } from 'vitest';
import { type TaskResult, UnavailableError } from '../job-type.ts';
import { type LoadProductsItem, loadProducts } from './index.ts';

const SEEDED = [
  'Apparel',
  'Electronics',
  'Furniture',
  'Grocery',
  'Health & Beauty',
  'Home & Kitchen',
  'Office Supplies',
  'Sports & Outdoors',
  'Toys & Games',
];

function lamp(changes: Partial<LoadProductsItem> = {}): LoadProductsItem {
  return {
    name: 'Lamp',
    category: 'Furniture',
    price: 110.53,
    stock: 3,
    rating: 4.5,
    description: 'Gives light.',
    ...changes,
  };
}

/** Runs a task whose items begin at index 40 against a Products that answers `outcomes`. */
async function run(
  values: readonly LoadProductsItem[],
  outcomes: readonly ProductOutcome[] | Error,
): Promise<{ result: TaskResult; asked: { jobId: number; items: readonly ProductItem[] }[] }> {
  const asked: { jobId: number; items: readonly ProductItem[] }[] = [];
  const result = await loadProducts.run({
    jobId: 7,
    ownerId: '00000000-0000-4000-8000-000000000001',
    items: values.map((value, offset) => ({ index: 40 + offset, value })),
    signal: new AbortController().signal,
    log: () => {},
    progress: () => {},
    services: {
      async createProducts(jobId, items) {
        asked.push({ jobId, items });
        if (outcomes instanceof Error) throw outcomes;
        return outcomes;
      },
    },
  });
  return { result, asked };
}

function written(itemIndex: number, productId: number, created: boolean): ProductOutcome {
  return { itemIndex, outcome: { $case: 'written', value: { productId, created } } };
}

test('a task asks for all of its products in one call, each by its index in the job', async () => {
  const { asked } = await run([lamp(), lamp({ sku: 'L-1' })], []);
  expect(asked).toEqual([
    {
      jobId: 7,
      items: [
        { itemIndex: 40, record: { ...lamp(), price: '110.53', rating: '4.5' } },
        { itemIndex: 41, record: { ...lamp(), price: '110.53', rating: '4.5', sku: 'L-1' } },
      ],
    },
  ]);
});

test('numbers travel as plain decimals, and a sku that is null as none', async () => {
  const { asked } = await run([lamp({ price: 1e-7, rating: 5, sku: null })], []);
  const record = asked[0]?.items[0]?.record;
  expect(record).toMatchObject({ price: '0.0000001', rating: '5' });
  expect(record).not.toHaveProperty('sku');
});

test('created and updated products are successes and are counted, whatever the order of the answers', async () => {
  const { result } = await run(
    [lamp(), lamp(), lamp()],
    [written(42, 9, false), written(40, 3, true), written(41, 5, true)],
  );
  expect(result).toEqual({
    items: [
      { status: 'succeeded', result: { productId: 3, created: true } },
      { status: 'succeeded', result: { productId: 5, created: true } },
      { status: 'succeeded', result: { productId: 9, created: false } },
    ],
    counters: { created: 2, updated: 1 },
  });
});

test('a refused record has failed for good, and the message names the field', async () => {
  const message = 'price must be a decimal from 0 to below 10000000000, got "-1"';
  const refused: ProductOutcome = {
    itemIndex: 40,
    outcome: { $case: 'refused', value: { field: 'price', message } },
  };
  const { result } = await run([lamp(), lamp()], [refused, written(41, 5, true)]);
  expect(result.items).toEqual([
    { status: 'failed', reason: 'InvalidRecord', message },
    { status: 'succeeded', result: { productId: 5, created: true } },
  ]);
  expect(result.counters).toEqual({ created: 1, updated: 0 });
});

test('an item without an answer is tried again', async () => {
  const { result } = await run([lamp()], []);
  expect(result.items).toMatchObject([{ status: 'retry' }]);
});

test('when Products is away the whole task is tried again: the handler throws', async () => {
  await expect(run([lamp()], new Error("Products can't be reached"))).rejects.toThrow("can't be reached");
});

test('the file that the quickstart loads shows what it should', () => {
  const text = readFileSync(new URL('../../../assets/products.json', import.meta.url), 'utf8');
  const records = JSON.parse(text) as LoadProductsItem[];
  const categories = new Set(records.map(({ category }) => category));
  const names = Map.groupBy(records, ({ name }) => name);
  expect(records.length).toBeGreaterThanOrEqual(60);
  expect([...categories].filter((category) => SEEDED.includes(category)).sort()).toEqual(SEEDED);
  expect([...categories].filter((category) => !SEEDED.includes(category))).toHaveLength(1);
  expect([...names.values()].filter((same) => same.length > 1).map((same) => same.length)).toEqual([2]);
  expect(records.some(({ sku }) => sku !== undefined)).toBe(true);
  const skus = records.flatMap(({ sku }) => sku ?? []);
  expect(new Set(skus).size).toBe(skus.length);
  // One record a line, between the brackets.
  expect(text.trimEnd().split('\n')).toHaveLength(records.length + 2);
});

test('each record of that file is what the schema asks for', () => {
  const text = readFileSync(new URL('../../../assets/products.json', import.meta.url), 'utf8');
  const schema = loadProducts.inputSchema as {
    properties: Record<
      string,
      { minimum?: number; maximum?: number; minLength?: number; maxLength?: number }
    >;
    required: string[];
  };
  for (const record of JSON.parse(text) as Record<string, unknown>[]) {
    expect(Object.keys(record)).toEqual(expect.arrayContaining(schema.required));
    for (const [field, value] of Object.entries(record)) {
      const rules = schema.properties[field];
      expect(rules, `${field} is a property of the schema`).toBeDefined();
      const size = typeof value === 'string' ? value.length : Number(value);
      expect(size).toBeGreaterThanOrEqual(rules?.minimum ?? rules?.minLength ?? 0);
      expect(size).toBeLessThanOrEqual(rules?.maximum ?? rules?.maxLength ?? 0);
    }
  }
});

test('Products being away is told as that: such an attempt does not count', async () => {
  const away = new UnavailableError("Products can't be reached");
  await expect(run([lamp()], away)).rejects.toBe(away);
});
