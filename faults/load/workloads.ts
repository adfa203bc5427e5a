import type { Random } from '../random.ts';
import type { Work } from './submitter.ts';

const CATEGORIES = [
  'Electronics',
  'Apparel',
  'Home & Kitchen',
  'Grocery',
  'Furniture',
  'Sports & Outdoors',
  'Health & Beauty',
  'Office Supplies',
  'Toys & Games',
  'Antiques',
];

/** Fibonacci numbers, some of them with some thousand digits. */
export function fibonacciWork(random: Random, items = random.integer(1, 60)): Work {
  return {
    name: 'Fibonacci',
    slug: 'fibonacci',
    items: Array.from({ length: items }, () => ({ iterations: random.integer(0, 8_000) })),
  };
}

/** Products with prices to the cent; now and then two of the same name. */
export function loadWork(random: Random, items = random.integer(1, 40), asFile = false): Work {
  return {
    name: 'LoadProducts',
    slug: 'load-products',
    asFile,
    items: Array.from({ length: items }, (_, index) => ({
      name: `Product ${random.integer(1, 1_000)}`,
      category: random.pick(CATEGORIES),
      price: random.integer(0, 100_000) / 100,
      stock: random.integer(0, 5_000),
      rating: random.integer(0, 50) / 10,
      description: `Number ${index} of its file.`,
    })),
  };
}

/** Products, of which every third fails after it was written, for as long as there is a file `gate`. */
export function flakyWork(random: Random, gate: string, items = random.integer(3, 30)): Work {
  const { items: records } = loadWork(random, items);
  return {
    name: 'FlakyLoad',
    slug: 'flaky-load',
    items: records.map((record, index) => (index % 3 === 0 ? { ...record, gate } : record)),
  };
}

/** Items that each take `ms` milliseconds without using the processor; one a task. */
export function dozeWork(items: number, ms: number): Work {
  return { name: 'Doze', slug: 'doze', items: Array.from({ length: items }, () => ({ ms })) };
}

/** Any of them, small. */
export function anyWork(random: Random): Work {
  switch (random.integer(0, 3)) {
    case 0:
      return loadWork(random);
    case 1:
      return loadWork(random, random.integer(1, 30), true);
    case 2:
      return dozeWork(random.integer(1, 12), random.integer(0, 300));
    default:
      return fibonacciWork(random);
  }
}

/** The same with the job types that every installation has. */
export function anyPublicWork(random: Random): Work {
  const work = anyWork(random);
  return work.slug === 'doze' ? fibonacciWork(random) : work;
}
