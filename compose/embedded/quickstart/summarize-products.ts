import { add, type Decimal, divideToCents, formatDecimal, parseDecimal } from './exact-decimal.ts';
import type { Category, Product } from './platform-client.ts';

/** A table of strings: a row per category that occurs, in alphabetical order, and their sum. */
export function summarizeProducts(products: readonly Product[], categories: readonly Category[]): string[][] {
  const charges = new Map(
    categories.map(({ name, charge }) => [name, `${formatDecimal(parseDecimal(charge))} %`]),
  );
  const groups = Map.groupBy(products, ({ category }) => category);
  const rows = [...groups]
    .sort(([a], [b]) => a.localeCompare(b, 'en'))
    .map(([category, members]) => [category, charges.get(category) ?? 'none', ...figures(members)]);
  return [
    ['Category', 'Charge', 'Products', 'In stock', 'Average price'],
    ...rows,
    ['All', '', ...figures(products)],
  ];
}

function figures(products: readonly Product[]): string[] {
  const zero: Decimal = { units: 0n, scale: 0 };
  const sum = products.reduce((total, { price }) => add(total, parseDecimal(price)), zero);
  const stock = products.reduce((total, product) => total + product.stock, 0);
  return [String(products.length), String(stock), divideToCents(sum, products.length)];
}
