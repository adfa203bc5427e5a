/**
 * Whether a JSON number keeps its decimal value as a 64-bit float: the shortest text of the float has the same value
 * as `token`. `1.10`, `1e2` and `0.1` do; `9007199254740993`, `110.530000000000000001`, `1e400` and `1e-400` do not.
 * `token` must be spelled as JSON spells numbers; anything else that JavaScript reads as no finite number is refused.
 */
export function isExactNumber(token: string): boolean {
  const value = Number(token);
  if (!Number.isFinite(value)) return false;
  // Any decimal of at most 15 digits survives the way into a double and back (DBL_DIG of IEEE 754).
  if (token.length <= 15 && !/[eE]/.test(token)) return true;
  const asked = decimal(token);
  const kept = decimal(String(value));
  if (asked.digits === '' || kept.digits === '') return asked.digits === kept.digits;
  return asked.digits === kept.digits && asked.exponent === kept.exponent;
}

/** The value as 0.DIGITS × 10^exponent with no zero at either end of the digits; zero has no digits. The sign cannot change. */
function decimal(token: string): { digits: string; exponent: number } {
  const exponentAt = token.search(/[eE]/);
  const mantissa = exponentAt < 0 ? token : token.slice(0, exponentAt);
  const unsigned = mantissa.startsWith('-') ? mantissa.slice(1) : mantissa;
  const pointAt = unsigned.indexOf('.');
  const whole = pointAt < 0 ? unsigned : unsigned.slice(0, pointAt);
  const digits = pointAt < 0 ? whole : whole + unsigned.slice(pointAt + 1);
  let from = 0;
  while (from < digits.length && digits.charCodeAt(from) === 0x30) from++;
  let to = digits.length;
  while (to > from && digits.charCodeAt(to - 1) === 0x30) to--;
  const exponent = exponentAt < 0 ? 0 : Number(token.slice(exponentAt + 1));
  return { digits: digits.slice(from, to), exponent: whole.length - from + exponent };
}
