import type { PoolClient } from 'pg';
import type { Effect, ProductItem } from '../effect.ts';
import { toEffects } from './insert-products.ts';
import type { EffectRow } from './item-columns.ts';

const READ_EFFECTS = `
  select effect.*
  from effect join unnest($1::bigint[], $2::int[]) as a(job_id, item_index) using (job_id, item_index)`;

/** What items have done before. Reads only. */
export async function readEffects(
  client: PoolClient,
  items: readonly ProductItem[],
): Promise<Map<string, Effect>> {
  if (items.length === 0) return new Map();
  const { rows } = await client.query<EffectRow>({
    name: 'read-effects',
    text: READ_EFFECTS,
    values: [items.map((item) => item.jobId), items.map((item) => item.itemIndex)],
  });
  return toEffects(rows);
}
