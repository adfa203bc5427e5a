import type { ProductItem, ProductOutcome, ProductRecord } from '@jobber/proto/products/v1/products';
import type { ItemResult, JobType, TaskContext, TaskResult } from '../job-type.ts';
import { plainDecimal } from './plain-decimal.ts';

/** A record of a product file. */
export interface LoadProductsItem {
  readonly name: string;
  readonly category: string;
  readonly price: number;
  readonly stock: number;
  readonly rating: number;
  readonly description: string;
  readonly sku?: string | null;
}

/** Of an empty text `minLength` tells already. */
const TEXT = { type: 'string', minLength: 1, maxLength: 255, pattern: '^$|\\S' };

export const loadProducts: JobType<LoadProductsItem> = {
  name: 'LoadProducts',
  slug: 'load-products',
  version: 2,
  description: 'Loads products into the catalog; the price of each grows by the charge of its category.',
  inputSchema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'LoadProducts',
    type: 'object',
    properties: {
      name: {
        title: 'Name',
        description: '1 to 255 characters, not only blanks; it need not be unique',
        ...TEXT,
      },
      category: {
        title: 'Category',
        description: '1 to 255 characters, not only blanks; a category that is not known has no charge',
        ...TEXT,
      },
      price: {
        title: 'Price',
        description: 'Before the charge: a number from 0 to 9999999999',
        type: 'number',
        minimum: 0,
        maximum: 9_999_999_999,
      },
      stock: {
        title: 'Stock',
        description: 'Pieces: a whole number from 0 to 2147483647',
        type: 'integer',
        minimum: 0,
        maximum: 2_147_483_647,
      },
      rating: {
        title: 'Rating',
        description: 'A number from 0 to 5',
        type: 'number',
        minimum: 0,
        maximum: 5,
      },
      description: {
        title: 'Description',
        description: 'At most 10,000 characters',
        type: 'string',
        maxLength: 10_000,
      },
      sku: {
        title: 'SKU',
        description:
          '1 to 64 printable ASCII characters without spaces; a product with this sku is updated, not made again',
        type: ['string', 'null'],
        maxLength: 64,
        pattern: '^[\\x21-\\x7e]+$',
      },
    },
    required: ['name', 'category', 'price', 'stock', 'rating', 'description'],
    additionalProperties: false,
  },
  itemsPerTask: 500,
  // What is wrong with a record is found at once, and Products being away does not count.
  retry: { maxAttempts: 5, backoffMs: 1_000, maxBackoffMs: 30_000 },
  limits: { timeoutMs: 120_000, maxItems: 10_000_000 },
  runs: 'inline',
  run: runLoadProducts,
};

async function runLoadProducts(context: TaskContext<LoadProductsItem>): Promise<TaskResult> {
  const { jobId, items, signal, services } = context;
  const asked: ProductItem[] = items.map(({ index, value }) => ({
    itemIndex: index,
    record: toRecord(value),
  }));
  const outcomes = await services.createProducts(jobId, asked, signal);
  const byIndex = new Map(outcomes.map(({ itemIndex, outcome }) => [itemIndex, outcome]));
  const results = items.map(({ index }) => toResult(byIndex.get(index)));
  return { items: results, counters: countEffects(byIndex.values()) };
}

function toRecord({ price, rating, sku, ...rest }: LoadProductsItem): ProductRecord {
  return {
    ...rest,
    price: plainDecimal(price),
    rating: plainDecimal(rating),
    ...(sku != null && { sku }),
  };
}

function toResult(outcome: ProductOutcome['outcome']): ItemResult {
  switch (outcome?.$case) {
    case 'written':
      return {
        status: 'succeeded',
        result: { productId: outcome.value.productId, created: outcome.value.created },
      };
    case 'refused':
      return { status: 'failed', reason: 'InvalidRecord', message: outcome.value.message };
    default:
      return { status: 'retry', reason: 'NoOutcome', message: 'Products did not answer for this record' };
  }
}

function countEffects(outcomes: Iterable<ProductOutcome['outcome']>): Record<string, number> {
  const counters = { created: 0, updated: 0 };
  for (const outcome of outcomes) {
    if (outcome?.$case === 'written') counters[outcome.value.created ? 'created' : 'updated'] += 1;
  }
  return counters;
}
