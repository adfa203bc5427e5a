import type { Session } from '../session/session.ts';

export interface Product {
  readonly id: string;
  readonly name: string;
  readonly category: string;
  readonly price: string;
  readonly basePrice: string;
  readonly stock: number;
  readonly rating: number;
  readonly description: string;
  readonly sku: string | null;
}

export interface ProductFilter {
  readonly name?: string;
  readonly category?: string;
  readonly sku?: string;
  readonly minPrice?: string;
  readonly maxPrice?: string;
  readonly inStock?: boolean;
  readonly jobId?: number;
}

export interface Category {
  readonly name: string;
  readonly charge: string;
}

export async function fetchProducts(
  session: Session,
  variables: { filter: ProductFilter; limit: number; before?: string | undefined },
): Promise<Product[]> {
  const query =
    'query Products($filter: ProductFilter, $limit: Int, $before: ID) { products(filter: $filter, limit: $limit, before: $before) { id name category price basePrice stock rating description sku } }';
  return (await session.call<{ products: Product[] }>('products', query, variables)).products;
}

export async function fetchCategories(session: Session): Promise<Category[]> {
  const query = 'query Categories { categories { name charge } }';
  return (await session.call<{ categories: Category[] }>('products', query)).categories;
}
