import type { ProductItem } from '../effect.ts';

/** The items as arrays, for `unnest`; the SQL below names them. */
export function itemColumns(items: readonly ProductItem[]): unknown[] {
  return [
    items.map((item) => item.jobId),
    items.map((item) => item.itemIndex),
    items.map(({ record }) => record.name),
    items.map(({ record }) => record.category),
    items.map(({ record }) => record.price),
    items.map(({ record }) => record.stock),
    items.map(({ record }) => record.rating),
    items.map(({ record }) => record.description),
    items.map(({ record }) => record.sku ?? null),
  ];
}

/**
 * `asked`: the items with their enriched price. price = base price × (1 + charge / 100), exact: numeric multiplication
 * keeps every digit (division would round), and a category that is unknown has no charge.
 */
export const ASKED_ITEMS = `
  asked as materialized (
    select a.*, trim_scale(a.base_price * (1 + coalesce(category.charge, 0) * 0.01)) as price
    from unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::numeric[], $6::int[], $7::numeric[], $8::text[],
      $9::text[]) with ordinality
      as a(job_id, item_index, name, category, base_price, stock, rating, description, sku, ord)
    left join category on category.name = a.category
  )`;

export interface EffectRow {
  readonly job_id: string;
  readonly item_index: number;
  readonly product_id: string;
  readonly created: boolean;
}
