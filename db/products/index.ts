import type { DatabaseDefinition } from '../connection.ts';
import { Category } from './entities/category.ts';
import { Effect } from './entities/effect.ts';
import { Product } from './entities/product.ts';
import { Migration0001Catalog } from './migrations/migration-0001-catalog.ts';

export { Category } from './entities/category.ts';
export { Effect } from './entities/effect.ts';
export { Product } from './entities/product.ts';

export const productsDatabase: DatabaseDefinition = {
  name: 'products',
  entities: [Category, Effect, Product],
  migrations: [{ name: '0001-catalog', class: Migration0001Catalog }],
};
