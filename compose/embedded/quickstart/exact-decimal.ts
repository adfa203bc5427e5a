/** A decimal number with all of its digits: `units` × 10^-`scale`. */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

/** @param text such as 110.53 or 4 */
export function parseDecimal(text: string): Decimal {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === '') throw new Error(`${JSON.stringify(text)} is not a decimal number`);
  return { units: BigInt(`${sign}${whole}${fraction}`), scale: fraction.length };
}

/** Without zeros at the end. */
export function formatDecimal({ units, scale }: Decimal): string {
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0');
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, '');
  const whole = digits.slice(0, digits.length - scale);
  return `${units < 0n ? '-' : ''}${whole}${scale > 0 && fraction ? `.${fraction}` : ''}`;
}

export function add(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { units: rescale(a, scale) + rescale(b, scale), scale };
}

export function multiply(a: Decimal, b: Decimal): Decimal {
  return { units: a.units * b.units, scale: a.scale + b.scale };
}

/** The quotient of two non-negative numbers with two decimals, rounded half up, as prices are shown. */
export function divideToCents(a: Decimal, count: number): string {
  const divisor = BigInt(count);
  const cents =
    (rescale(a, a.scale + 2) * 2n + divisor * 10n ** BigInt(a.scale)) /
    (divisor * 2n * 10n ** BigInt(a.scale));
  const digits = String(cents).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

function rescale({ units, scale }: Decimal, wanted: number): bigint {
  return units * 10n ** BigInt(wanted - scale);
}
