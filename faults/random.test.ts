import { expect, test } from 'vitest';
import { createRandom } from './random.ts';

test('the same seed draws the same, another one does not', () => {
  const draw = (seed: number) => Array.from({ length: 5 }, createRandom(seed).next);
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

test('a fork draws the same however much its parent has drawn', () => {
  const one = createRandom(7);
  const other = createRandom(7);
  other.next();
  expect(one.fork('edges').next()).toBe(other.fork('edges').next());
  expect(one.fork('edges').next()).not.toBe(one.fork('steps').next());
});

test('whole numbers reach both ends, and nothing beyond', () => {
  const random = createRandom(1);
  const drawn = new Set(Array.from({ length: 200 }, () => random.integer(3, 5)));
  expect([...drawn].sort()).toEqual([3, 4, 5]);
});
