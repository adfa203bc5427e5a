/** The charges that a new catalog is seeded with, in per cent; an unknown category has none. */
export const CHARGES: Readonly<Record<string, number>> = {
  Electronics: 5,
  Apparel: 3,
  'Home & Kitchen': 4,
  Grocery: 2,
  Furniture: 6,
  'Sports & Outdoors': 4,
  'Health & Beauty': 3,
  'Office Supplies': 4,
  'Toys & Games': 3,
};

/** price × (1 + charge / 100), exactly, without trailing zeros. @param price a decimal, such as 110.53 or 1e-7 */
export function priceOracle(price: number | string, category: string): string {
  const charge = Object.hasOwn(CHARGES, category) ? (CHARGES[category] ?? 0) : 0;
  const { digits, scale } = parseDecimal(String(price));
  return formatDecimal({ digits: digits * BigInt(100 + charge), scale: scale + 2 });
}

/** Whether two decimals are the same number, however they are written. */
export function sameDecimal(left: number | string, right: number | string): boolean {
  return formatDecimal(parseDecimal(String(left))) === formatDecimal(parseDecimal(String(right)));
}

/** digits × 10^-scale */
interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

function parseDecimal(text: string): Decimal {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text.trim());
  if (!match) return { digits: -1n, scale: -1 };
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(`${sign}${whole}${fraction}`);
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
}

function formatDecimal({ digits, scale }: Decimal): string {
  const negative = digits < 0n;
  const text = (negative ? -digits : digits).toString().padStart(scale + 1, '0');
  const whole = text.slice(0, text.length - scale);
  const fraction = text.slice(text.length - scale).replace(/0+$/, '');
  return `${negative ? '-' : ''}${whole}${scale > 0 && fraction !== '' ? `.${fraction}` : ''}`;
}
