import { createLogger } from '@jobber/shared/log';
import { expect, test } from 'vitest';
import { returnMemoryWhenIdle } from './return-memory.ts';
import { createScope } from './scope.ts';

/** Looks at a process that has nothing to do. */
const IDLE = [0, 0, 0, 0, 0, 0];

/** @returns after which of the looks, counted from 1, memory was given back */
function collectionsFor(utilizations: readonly number[]): number[] {
  const scope = createScope(createLogger({ daemon: 'test', level: 'silent' }));
  const collections: number[] = [];
  let shares = [0, ...utilizations];
  let looks = 0;
  let look: () => void = () => {};
  returnMemoryWhenIdle(scope, {
    async collect() {
      collections.push(looks);
    },
    utilization() {
      const [next = 0, ...rest] = shares;
      shares = rest;
      return next;
    },
    repeat(given) {
      look = given;
      return () => {};
    },
  });
  for (const _ of utilizations) {
    looks += 1;
    look();
  }
  return collections;
}

test('memory is given back once, after a busy time and six looks at an idle process', () => {
  expect(collectionsFor([0.5, 0.3, 0.01, 0.001, 0, 0, 0, 0, 0, 0])).toEqual([8]);
});

test('a process that was never busy has nothing to give back', () => {
  expect(collectionsFor([0, 0.05, 0.09, ...IDLE, ...IDLE])).toEqual([]);
});

test('a short pause is no idle time, and neither is a time with little to do', () => {
  expect(collectionsFor([0.5, 0.01, 0, 0, 0, 0, 0.5, 0.05, ...IDLE.slice(1), 0.05, 0.01])).toEqual([]);
});

test('after the next busy time it is given back again', () => {
  expect(collectionsFor([0.5, ...IDLE, 0.2, ...IDLE, 0])).toEqual([7, 14]);
});

test('it ends with the scope', async () => {
  const scope = createScope(createLogger({ daemon: 'test', level: 'silent' }));
  let ended = false;
  returnMemoryWhenIdle(scope, {
    collect: async () => {},
    utilization: () => 0,
    repeat: () => () => {
      ended = true;
    },
  });
  await scope.release();
  expect(ended).toBe(true);
});
