/** A decimal as people write prices: without trailing zeros, but with at least two decimals. */
export function formatPrice(decimal: string): string {
  const [whole = '0', fraction = ''] = decimal.split('.');
  return `${whole}.${fraction.replace(/0+$/, '').padEnd(2, '0')}`;
}

/** A decimal without trailing zeros: 5, 4.25 */
export function formatDecimal(decimal: string): string {
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal;
}
