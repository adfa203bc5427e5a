/** Numbers that have been computed; a history asks for few different ones. */
const known = new Map<number, string>();

/**
 * F(n) in decimal digits, F(0) = 0 and F(1) = F(2) = 1: by the powers of the matrix (1 1; 1 0), on purpose another way
 * than the product's.
 * @param n a whole number from 0
 */
export function fibonacciOracle(n: number): string {
  const found = known.get(n);
  if (found !== undefined) return found;
  let result: Matrix = [1n, 0n, 1n];
  let power: Matrix = [1n, 1n, 0n];
  for (let left = n; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = multiply(result, power);
    power = multiply(power, power);
  }
  const digits = result[1].toString();
  known.set(n, digits);
  return digits;
}

/** A symmetric matrix (a b; b d). */
type Matrix = readonly [a: bigint, b: bigint, d: bigint];

function multiply([a, b, d]: Matrix, [e, f, h]: Matrix): Matrix {
  return [a * e + b * f, a * f + b * h, b * f + d * h];
}
