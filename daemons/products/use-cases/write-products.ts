import type { Pool, PoolClient } from 'pg';
import { type Effect, effectKey, type ProductItem } from '../effect.ts';
import { insertProducts } from '../transitions/insert-products.ts';
import { readEffects } from '../transitions/read-effects.ts';
import { upsertProducts } from '../transitions/upsert-products.ts';
import { checkRecord, type RecordRefusal } from './check-record.ts';

export type ItemOutcome = { readonly effect: Effect } | { readonly refusal: RecordRefusal };

/** The items' outcomes, in order. Sound items are written together, in one transaction; refused ones change nothing. */
export type WriteProducts = (items: readonly ProductItem[]) => Promise<ItemOutcome[]>;

/** The database rolls one of two transactions back when they wait for each other; that one is simply done again. */
const DEADLOCK = '40P01';

export function createWriteProducts(pool: Pool): WriteProducts {
  return async function writeProducts(items) {
    const refusals = items.map(({ record }) => checkRecord(record));
    const sound = items.filter((_, index) => refusals[index] === undefined);
    const effects = await writeOnce(pool, sound).catch((error: { code?: string }) => {
      if (error.code !== DEADLOCK) throw error;
      return writeOnce(pool, sound);
    });
    return items.map((item, index) => {
      const refusal = refusals[index];
      if (refusal) return { refusal };
      const effect = effects.get(effectKey(item));
      if (!effect) throw new Error(`no effect of item ${item.itemIndex} of job ${item.jobId}`);
      return { effect };
    });
  };
}

async function writeOnce(pool: Pool, items: readonly ProductItem[]): Promise<Map<string, Effect>> {
  const effects = new Map<string, Effect>();
  if (items.length === 0) return effects;
  const plain = items.filter(({ record }) => record.sku === undefined);
  const keyed = items.filter(({ record }) => record.sku !== undefined);
  await inTransaction(pool, async (client) => {
    for (const [key, effect] of await insertProducts(client, plain)) effects.set(key, effect);
    for (const [key, effect] of await upsertProducts(client, keyed)) effects.set(key, effect);
    const written = items.filter((item) => !effects.has(effectKey(item)));
    // Written by an earlier attempt, whose answer was lost: what it did is the answer.
    for (const [key, effect] of await readEffects(client, written)) effects.set(key, effect);
  });
  return effects;
}

async function inTransaction(pool: Pool, work: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await work(client);
    await client.query('commit');
    client.release();
  } catch (error) {
    // Closes the connection, and the server rolls back: asking it to could take as long again when it is silent.
    client.release(true);
    throw error;
  }
}
