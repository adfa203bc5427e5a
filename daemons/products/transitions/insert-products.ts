import type { PoolClient } from 'pg';
import { type Effect, effectKey, type ProductItem } from '../effect.ts';
import { ASKED_ITEMS, type EffectRow, itemColumns } from './item-columns.ts';

/**
 * Items without a sku: each makes one product, once. The ledger decides: an item whose row is there already makes
 * nothing, and one that another transaction is just writing waits for it.
 */
const INSERT_PRODUCTS = `
  with ${ASKED_ITEMS}, claimed as (
    insert into effect (job_id, item_index, product_id, created)
    select distinct on (job_id, item_index)
      job_id, item_index, nextval(pg_get_serial_sequence('product', 'id')), true
    from asked
    order by job_id, item_index, ord
    on conflict do nothing
    returning job_id, item_index, product_id, created
  ), inserted as (
    insert into product (id, name, category, price, base_price, stock, rating, description, job_id)
    select distinct on (c.product_id)
      c.product_id, a.name, a.category, a.price, a.base_price, a.stock, a.rating, a.description, a.job_id
    from claimed c join asked a using (job_id, item_index)
    order by c.product_id, a.ord
  )
  select * from claimed`;

/** @returns the effects of the items that were not written before */
export async function insertProducts(
  client: PoolClient,
  items: readonly ProductItem[],
): Promise<Map<string, Effect>> {
  if (items.length === 0) return new Map();
  const { rows } = await client.query<EffectRow>({
    name: 'insert-products',
    text: INSERT_PRODUCTS,
    values: itemColumns(items),
  });
  return toEffects(rows);
}

export function toEffects(rows: readonly EffectRow[]): Map<string, Effect> {
  return new Map(
    rows.map((row) => [
      effectKey({ jobId: Number(row.job_id), itemIndex: row.item_index }),
      { productId: Number(row.product_id), created: row.created },
    ]),
  );
}
