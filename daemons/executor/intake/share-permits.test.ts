import { expect, test } from 'vitest';
import { createPermitShares } from './share-permits.ts';

function world(topics: string[]) {
  let now = 0;
  const shares = createPermitShares(topics, () => now);
  return {
    grant: (free: number) => Object.fromEntries(shares.grant(free)),
    arrived: (topic: string, count = 1, tasks = 1) => {
      for (let n = 0; n < count; n += 1) shares.arrived(topic, tasks);
    },
    pass: (ms: number) => {
      now += ms;
    },
  };
}

test('silent topics each have permits for all free slots', () => {
  const { grant } = world(['a', 'b']);
  expect(grant(4)).toEqual({ a: 4, b: 4 });
  expect(grant(4)).toEqual({});
});

test('the only topic never has more permits than there are free slots', () => {
  const { grant, arrived } = world(['a']);
  expect(grant(4)).toEqual({ a: 4 });
  arrived('a', 4);
  expect(grant(0)).toEqual({});
  expect(grant(1)).toEqual({ a: 1 });
  expect(grant(1)).toEqual({});
  expect(grant(3)).toEqual({ a: 2 });
});

test('a permit stands for as many slots as the last message named tasks', () => {
  const { grant, arrived, pass } = world(['a', 'b']);
  expect(grant(4)).toEqual({ a: 4, b: 4 });
  arrived('a', 4, 10);
  expect(grant(4)).toEqual({ a: 1 });
  expect(grant(10)).toEqual({ b: 6 });
  expect(grant(11)).toEqual({ a: 1, b: 1 });
  arrived('a', 2, 1);
  expect(grant(2)).toEqual({ a: 2 });
  pass(200);
  expect(grant(12)).toEqual({ a: 10, b: 1 });
});

test('topics that deliver share the free slots in turns', () => {
  const { grant, arrived } = world(['a', 'b', 'c']);
  grant(4);
  arrived('a', 4);
  arrived('b', 4);
  // Topic c is silent and has its permits already.
  expect(grant(2)).toEqual({ a: 1, b: 1 });
  arrived('a');
  arrived('b');
  expect(grant(1)).toEqual({ a: 1 });
  arrived('a');
  expect(grant(1)).toEqual({ b: 1 });
});

test('a topic that has run dry leaves its part to the others', () => {
  const { grant, arrived, pass } = world(['a', 'b']);
  grant(2);
  arrived('a', 2);
  arrived('b', 2);
  expect(grant(2)).toEqual({ a: 1, b: 1 });
  pass(60);
  arrived('a');
  expect(grant(1)).toEqual({});
  pass(60);
  expect(grant(1)).toEqual({ a: 1 });
});
