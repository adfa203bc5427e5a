import type { Product } from '@jobber/db/products';
import { callerOf } from '@jobber/shared/auth-guard';
import type { Resolvers } from '@jobber/shared/graphql';
import type { MikroORM } from '@mikro-orm/postgresql';
import { findProduct, listCategories, listProducts, type ProductFilter } from '../use-cases/list-products.ts';
import { formatDecimal, formatPrice } from './format-price.ts';

/** As in the schema; a limit that is null means it as well. */
const DEFAULT_PAGE = 50;

/** Null and absent mean the same in GraphQL's arguments. */
type Optional<T> = { readonly [K in keyof T]?: T[K] | null };

/** The fields of `graphql/schema.graphql`; GraphQL has checked the arguments' types. */
export function productsResolvers(orm: MikroORM): Resolvers {
  return {
    async products(
      args: { filter?: Optional<ProductFilter> | null; limit: number | null; before?: string | null },
      c,
    ) {
      const identity = await callerOf(c).identity();
      const filter = withoutNulls(args.filter ?? {}) as ProductFilter;
      const page = {
        filter,
        limit: args.limit ?? DEFAULT_PAGE,
        ...(args.before != null && { before: args.before }),
      };
      return (await listProducts(orm, identity, page)).map(present);
    },
    async product({ id }: { id: string }, c) {
      return present(await findProduct(orm, await callerOf(c).identity(), id));
    },
    async categories(_args, c) {
      const categories = await listCategories(orm, await callerOf(c).identity());
      return categories.map(({ name, charge }) => ({ name, charge: formatDecimal(charge) }));
    },
  };
}

function present(product: Product) {
  return {
    ...product,
    price: formatPrice(product.price),
    basePrice: formatPrice(product.basePrice),
    rating: Number(product.rating),
  };
}

function withoutNulls(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null));
}
