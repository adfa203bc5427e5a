import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** The ledger: which product an item of a job has made or updated. It is written with the product, once for ever. */
export const Effect = defineEntity({
  name: 'Effect',
  tableName: 'effect',
  properties: {
    jobId: p.bigint('number').primary(),
    itemIndex: p.integer().primary(),
    productId: p.bigint('number'),
    /** False when a product with the same sku was updated. */
    created: p.boolean(),
  },
});
export type Effect = InferEntity<typeof Effect>;
