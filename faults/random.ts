/** A source of chance that a seed decides: the same seed draws the same values. */
export interface Random {
  /** From 0 to 1, exclusive. */
  next(): number;
  /** A whole number, both ends included. */
  integer(from: number, to: number): number;
  pick<T>(values: readonly T[]): T;
  chance(probability: number): boolean;
  /** A source of its own, so that what it draws does not depend on what others draw. */
  fork(name: string): Random;
}

/** Mulberry32. @param seed any whole number */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const random: Random = {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
    integer: (from, to) => from + Math.floor(random.next() * (to - from + 1)),
    pick(values) {
      if (values.length === 0) throw new Error('There is nothing to pick from.');
      return values[random.integer(0, values.length - 1)] as (typeof values)[number];
    },
    chance: (probability) => random.next() < probability,
    fork: (name) => createRandom(seed ^ hash(name)),
  };
  return random;
}

/** FNV-1a */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const char of text) value = Math.imul(value ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return value >>> 0;
}
