import type { ProductRecord } from '@jobber/proto/products/v1/products';

/** One item of a job and the product that it asks for. */
export interface ProductItem {
  readonly jobId: number;
  readonly itemIndex: number;
  readonly record: ProductRecord;
}

/** What an item has done to the catalog: the same answer however often it is asked for. */
export interface Effect {
  readonly productId: number;
  /** False when a product with the same sku was updated. */
  readonly created: boolean;
}

/** Names an effect in a map: (job, item) identifies it for ever. */
export function effectKey({ jobId, itemIndex }: { jobId: number; itemIndex: number }): string {
  return `${jobId}/${itemIndex}`;
}
