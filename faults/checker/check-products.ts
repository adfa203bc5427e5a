import type { Matched } from './check-calls.ts';
import type { Evidence, StoredEffect, StoredProduct } from './evidence.ts';
import { priceOracle, sameDecimal } from './price-oracle.ts';
import type { Problem } from './problem.ts';

/** The product's own, and the suite's, whose items may fail after their product was written. */
const LOADS: readonly string[] = ['load-products', 'flaky-load'];

/** What a record of a product file says. */
interface ProductRecord {
  readonly name: string;
  readonly category: string;
  readonly price: number | string;
  readonly stock: number;
  readonly rating: number | string;
  readonly description: string;
  readonly sku?: string | null;
}

/**
 * I4 and I6 over the catalog: each item of a load has made exactly one product outcome with the right fields, and nothing
 * else has. Where the ledger cannot be read, products are matched with records by what they say.
 */
export function checkProducts(matched: readonly Matched[], { products, effects }: Evidence): Problem[] {
  if (!products) return [];
  const loads = new Map(
    matched.filter(({ job }) => LOADS.includes(job.type)).map((one) => [one.job.id, one] as const),
  );
  return effects ? checkLedger(loads, products, effects) : checkCatalogAlone(loads, products);
}

function checkLedger(
  loads: ReadonlyMap<number, Matched>,
  products: readonly StoredProduct[],
  effects: readonly StoredEffect[],
): Problem[] {
  const problems: Problem[] = [];
  const byId = new Map(products.map((product) => [product.id, product]));
  const uses = Map.groupBy(effects, ({ productId }) => productId);
  const say = (invariant: string, kind: Problem['kind'], message: string, jobId?: number) =>
    problems.push({ invariant, kind, message, ...(jobId !== undefined && { jobId }) });

  const seen = new Set<string>();
  for (const { jobId, itemIndex, productId } of effects) {
    const item = `Item ${itemIndex} of job ${jobId}`;
    if (!loads.has(jobId))
      say('I8', 'unexpected', `${item} has a product, and no load with it was accepted.`, jobId);
    if (seen.has(`${jobId} ${itemIndex}`)) say('I4', 'doubled', `${item} has two product outcomes.`, jobId);
    seen.add(`${jobId} ${itemIndex}`);
    if (!byId.has(productId))
      say('I4', 'lost', `${item} has made product ${productId}, which is gone.`, jobId);
  }
  for (const product of products) {
    const made = uses.get(product.id) ?? [];
    if (made.length === 0) {
      say(
        'I4',
        'doubled',
        `Product ${product.id} of job ${product.jobId} was made by no item.`,
        product.jobId,
      );
    }
    if (product.sku === null && made.length > 1) {
      say('I4', 'wrong', `Product ${product.id} stands for ${made.length} items.`, product.jobId);
    }
    if (made.length > 0 && made.filter(({ created }) => created).length !== 1) {
      say('I4', 'wrong', `Product ${product.id} was not created exactly once.`, product.jobId);
    }
    const records = made.map(({ jobId, itemIndex }) => recordOf(loads.get(jobId), itemIndex));
    if (made.length > 0 && !records.some((record) => record && !difference(record, product))) {
      const record = records.find((one) => one !== undefined);
      const what = record ? difference(record, product) : 'no record says so';
      say('I6', 'wrong', `Product ${product.id} of job ${product.jobId}: ${what}.`, product.jobId);
    }
  }
  for (const [jobId, { intent, job }] of loads) {
    const succeeded = new Set(job.outcomes.filter((one) => one.succeeded).map(({ index }) => index));
    for (let index = 0; index < intent.items.length; index += 1) {
      const written = seen.has(`${jobId} ${index}`);
      // An item whose outcome was never stored may have been written, if the job was cancelled meanwhile.
      if (succeeded.has(index) && !written)
        say('I4', 'lost', `Item ${index} of job ${jobId} has made no product.`, jobId);
      // Nor does it say anything where an item may fail after its product was written.
      const mayBeWritten = job.status === 'CANCELLED' || intent.expects === 'any';
      if (!succeeded.has(index) && written && !mayBeWritten) {
        say('I4', 'wrong', `Item ${index} of job ${jobId} has made a product and is not completed.`, jobId);
      }
    }
  }
  return problems;
}

function checkCatalogAlone(
  loads: ReadonlyMap<number, Matched>,
  products: readonly StoredProduct[],
): Problem[] {
  const problems: Problem[] = [];
  const byJob = Map.groupBy(products, ({ jobId }) => jobId);
  for (const [jobId, { intent, job }] of loads) {
    const left = [...(byJob.get(jobId) ?? [])];
    for (const [index, item] of (intent.items as ProductRecord[]).entries()) {
      // What has a sku may have been written by another job since.
      if (item.sku != null || job.status !== 'COMPLETED') continue;
      const at = left.findIndex((product) => !difference(item, product));
      if (at < 0) {
        const message = `Item ${index} of job ${jobId} has no product with its fields.`;
        problems.push({ invariant: 'I4', kind: 'lost', jobId, message });
      } else left.splice(at, 1);
    }
    for (const product of left.filter(({ sku }) => sku === null)) {
      if (job.status !== 'COMPLETED') continue;
      const message = `Product ${product.id} of job ${jobId} is one too many, or its fields are wrong.`;
      problems.push({ invariant: 'I4', kind: 'doubled', jobId, message });
    }
  }
  return problems;
}

function recordOf(load: Matched | undefined, index: number): ProductRecord | undefined {
  return load?.intent.items[index] as ProductRecord | undefined;
}

/** In which field a product is not what its record says; undefined when it is. */
function difference(record: ProductRecord, product: StoredProduct): string | undefined {
  const expected = priceOracle(record.price, record.category);
  if (!sameDecimal(product.price, expected)) return `its price is ${product.price}, it should be ${expected}`;
  if (!sameDecimal(product.basePrice, record.price))
    return `its base price is ${product.basePrice}, not ${record.price}`;
  if (!sameDecimal(product.rating, record.rating))
    return `its rating is ${product.rating}, not ${record.rating}`;
  for (const name of ['name', 'category', 'stock', 'description'] as const) {
    if (product[name] !== record[name]) return `its ${name} is ${product[name]}, not ${record[name]}`;
  }
  const sku = record.sku ?? null;
  return product.sku === sku ? undefined : `its sku is ${product.sku}, not ${sku}`;
}
