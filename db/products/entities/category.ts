import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** What is added to the price of a product, by its category. */
export const Category = defineEntity({
  name: 'Category',
  tableName: 'category',
  properties: {
    name: p.text().primary(),
    /** Per cent, a decimal as text. */
    charge: p.decimal('string'),
  },
});
export type Category = InferEntity<typeof Category>;
