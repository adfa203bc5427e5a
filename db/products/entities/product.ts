import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** A product of the catalog. Its name is no key; its sku is, when it has one. */
export const Product = defineEntity({
  name: 'Product',
  tableName: 'product',
  properties: {
    id: p.bigint('number').primary(),
    name: p.text(),
    category: p.text(),
    /** With the category's charge, exact; decimals travel as text. */
    price: p.decimal('string'),
    /** As it was loaded. */
    basePrice: p.decimal('string'),
    stock: p.integer(),
    rating: p.decimal('string'),
    description: p.text(),
    sku: p.text().strictNullable(),
    /** The job that wrote it last. */
    jobId: p.bigint('number'),
    updatedAt: p.datetime(),
  },
});
export type Product = InferEntity<typeof Product>;
