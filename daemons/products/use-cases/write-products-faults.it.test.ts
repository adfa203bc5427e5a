import { openDatabase } from '@jobber/db/connection';
import { productsDatabase } from '@jobber/db/products';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import type { ProductItem } from '../effect.ts';
import { createProductsDatabase, product } from '../test-products.ts';
import { createWriteProducts } from './write-products.ts';

const ITEMS = 400;

const { url } = await createProductsDatabase();
const database = await openDatabase(productsDatabase, { url });
afterAll(() => database.close());
const writeProducts = createWriteProducts(database.pool);

/** Looks on by a connection that no test cuts. */
const observer = new pg.Client({ connectionString: url, application_name: 'observer' });
await observer.connect();
afterAll(() => observer.end());

function itemsOf(jobId: number): ProductItem[] {
  return Array.from({ length: ITEMS }, (_, itemIndex) => ({
    jobId,
    itemIndex,
    record: product(itemIndex % 3 === 0 ? { sku: `${jobId}-${itemIndex}` } : {}),
  }));
}

async function count(table: 'product' | 'effect', jobId: number): Promise<number> {
  const { rows } = await observer.query(`select count(*)::int as n from ${table} where job_id = $1`, [jobId]);
  return rows[0].n;
}

/** Ends the connections whose transaction is in this state. @returns how many */
async function cutWriters(state: string): Promise<number> {
  const { rowCount } = await observer.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name <> 'observer' and xact_start is not null and state = $1`,
    [state],
  );
  return rowCount ?? 0;
}

test.each([
  ['in a statement', 'active', 1_000],
  ['between two statements', 'idle in transaction', 2_000],
])(
  'a write whose connection is cut %s leaves all or nothing, and written again it has one effect an item',
  async (_, state, firstJob) => {
    let cuts = 0;
    // A cut can miss; each round writes another job, so that there is something to hit.
    for (let jobId = firstJob; cuts < 5; jobId++) {
      expect(jobId, 'no transaction was ever seen in this state').toBeLessThan(firstJob + 500);
      let outcome: 'written' | 'failed' | undefined;
      const writing = writeProducts(itemsOf(jobId)).then(
        () => {
          outcome = 'written';
        },
        () => {
          outcome = 'failed';
        },
      );
      while (outcome === undefined) cuts += await cutWriters(state);
      await writing;
      const left = await count('effect', jobId);
      expect(outcome === 'written' ? [ITEMS] : [0, ITEMS]).toContain(left);
      expect(await count('product', jobId)).toBe(left);

      const again = await writeProducts(itemsOf(jobId));
      expect(await writeProducts(itemsOf(jobId))).toEqual(again);
      expect(await count('effect', jobId)).toBe(ITEMS);
      expect(await count('product', jobId)).toBe(ITEMS);
    }
  },
);
