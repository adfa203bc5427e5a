import { add, formatDecimal, multiply, parseDecimal } from './exact-decimal.ts';
import type { Category, Product } from './platform-client.ts';

/**
 * How a product's price came about: `110.53 × 1.04 = 114.9512`.
 * @throws when the stored price is another one
 */
export function explainPrice(product: Product, charge: string): string {
  const percent = parseDecimal(charge);
  const factor = add(parseDecimal('1'), { units: percent.units, scale: percent.scale + 2 });
  const price = formatDecimal(multiply(parseDecimal(product.basePrice), factor));
  if (price !== formatDecimal(parseDecimal(product.price))) {
    throw new Error(`The price of "${product.name}" should be ${price}; Products says ${product.price}`);
  }
  return `${product.basePrice} × ${formatDecimal(factor)} = ${price}`;
}

/** The product whose price shows most that nothing is rounded. */
export function pickExample(
  products: readonly Product[],
  categories: readonly Category[],
): { product: Product; charge: string } | undefined {
  const charges = new Map(categories.map(({ name, charge }) => [name, charge]));
  let best: { product: Product; charge: string; digits: number } | undefined;
  for (const product of products) {
    const charge = charges.get(product.category);
    const digits = formatDecimal(parseDecimal(product.price)).split('.')[1]?.length ?? 0;
    if (charge !== undefined && digits > (best?.digits ?? -1)) best = { product, charge, digits };
  }
  return best;
}
