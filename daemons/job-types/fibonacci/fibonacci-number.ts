/**
 * The n-th Fibonacci number, exactly: F(0) = 0, F(1) = F(2) = 1. By fast doubling, from the highest bit of n on:
 * F(2k) = F(k) · (2F(k+1) − F(k)) and F(2k+1) = F(k)² + F(k+1)².
 * @param n a whole number from 0 to 2^31 − 1
 */
export function fibonacciNumber(n: number): bigint {
  let current = 0n;
  let next = 1n;
  for (let bit = n === 0 ? 0 : 1 << (31 - Math.clz32(n)); bit > 0; bit >>>= 1) {
    const doubled = current * ((next << 1n) - current);
    const afterDoubled = current * current + next * next;
    if ((n & bit) === 0) {
      current = doubled;
      next = afterDoubled;
    } else {
      current = afterDoubled;
      next = doubled + afterDoubled;
    }
  }
  return current;
}
