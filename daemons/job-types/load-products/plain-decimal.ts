/**
 * A finite number as a decimal without an exponent, every digit kept: 1e-7 becomes 0.0000001. The digits are those of
 * JavaScript's shortest form, which for a number read from JSON are the digits that stood there.
 */
export function plainDecimal(value: number): string {
  const text = String(value);
  const [mantissa = '', exponent] = text.split('e');
  if (exponent === undefined) return text;
  const negative = mantissa.startsWith('-');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const point = whole.length + Number(exponent);
  const digits = whole + fraction;
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0');
  const at = Math.max(point, 1);
  const decimals = padded.slice(at);
  return `${negative ? '-' : ''}${padded.slice(0, at)}${decimals && `.${decimals}`}`;
}
