import type { PoolClient } from 'pg';
import { type Effect, effectKey, type ProductItem } from '../effect.ts';
import { toEffects } from './insert-products.ts';
import { ASKED_ITEMS, type EffectRow, itemColumns } from './item-columns.ts';

/** Items that were not written before: their rows in the ledger are ours until the transaction ends. */
const CLAIM_ITEMS = `
  insert into effect (job_id, item_index, product_id, created)
  select distinct job_id, item_index, 0, false
  from unnest($1::bigint[], $2::int[]) as a(job_id, item_index)
  order by job_id, item_index
  on conflict do nothing
  returning job_id, item_index`;

/**
 * Items with a sku create or update the product of that sku. In one call the last item of a sku wins; its first one has
 * created the product if there was none. Skus are written in order, so that two transactions can't wait for each other.
 */
const UPSERT_PRODUCTS = `
  with ${ASKED_ITEMS}, written as (
    insert into product (name, category, price, base_price, stock, rating, description, sku, job_id)
    select distinct on (sku) name, category, price, base_price, stock, rating, description, sku, job_id
    from asked
    order by sku, ord desc
    on conflict (sku) do update set
      name = excluded.name, category = excluded.category, price = excluded.price, base_price = excluded.base_price,
      stock = excluded.stock, rating = excluded.rating, description = excluded.description,
      job_id = excluded.job_id, updated_at = now()
    returning id, sku, xmax = 0 as created
  )
  select a.job_id, a.item_index, w.id as product_id,
    w.created and row_number() over (partition by a.sku order by a.ord) = 1 as created
  from asked a join written w using (sku)`;

const RECORD_EFFECTS = `
  update effect set product_id = a.product_id, created = a.created
  from unnest($1::bigint[], $2::int[], $3::bigint[], $4::boolean[]) as a(job_id, item_index, product_id, created)
  where effect.job_id = a.job_id and effect.item_index = a.item_index`;

/** @returns the effects of the items that were not written before */
export async function upsertProducts(
  client: PoolClient,
  items: readonly ProductItem[],
): Promise<Map<string, Effect>> {
  if (items.length === 0) return new Map();
  const claimed = await client.query<Pick<EffectRow, 'job_id' | 'item_index'>>({
    name: 'claim-items',
    text: CLAIM_ITEMS,
    values: [items.map((item) => item.jobId), items.map((item) => item.itemIndex)],
  });
  const keys = new Set(
    claimed.rows.map((row) => effectKey({ jobId: Number(row.job_id), itemIndex: row.item_index })),
  );
  // Each claim is used once, should a call name an item twice.
  const ours = items.filter((item) => keys.delete(effectKey(item)));
  if (ours.length === 0) return new Map();
  const { rows } = await client.query<EffectRow>({
    name: 'upsert-products',
    text: UPSERT_PRODUCTS,
    values: itemColumns(ours),
  });
  await client.query({
    name: 'record-effects',
    text: RECORD_EFFECTS,
    values: [
      rows.map((row) => row.job_id),
      rows.map((row) => row.item_index),
      rows.map((row) => row.product_id),
      rows.map((row) => row.created),
    ],
  });
  return toEffects(rows);
}
