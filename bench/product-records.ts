const CATEGORIES = ['Electronics', 'Apparel', 'Home & Kitchen', 'Grocery', 'Furniture', 'Garden'];

export interface ProductRecord {
  readonly name: string;
  readonly category: string;
  readonly price: number;
  readonly stock: number;
  readonly rating: number;
  readonly description: string;
}

/** The nth of as many different products as are wanted; always the same one. */
export function productRecord(n: number): ProductRecord {
  return {
    name: `Sample product ${n}`,
    category: CATEGORIES[n % CATEGORIES.length] ?? 'Garden',
    price: ((n * 7919) % 1_000_000) / 100,
    stock: (n * 31) % 1_000,
    rating: ((n * 17) % 51) / 10,
    description: `Product number ${n} of a generated catalog, made to be loaded quickly and to be about as long as real ones.`,
  };
}
