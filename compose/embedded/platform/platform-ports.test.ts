import { expect, test } from 'vitest';
import { platformPorts } from './platform-ports.ts';

test('without a base the ports are the documented ones', () => {
  expect(platformPorts()).toEqual({
    auth: 3000,
    jobs: 3001,
    executor: 3002,
    products: 3003,
    authGrpc: 5000,
    productsGrpc: 5001,
    jobsGrpc: 5002,
    postgres: 5433,
  });
});

test('a base counts them through', () => {
  expect(Object.values(platformPorts(4000))).toEqual([4000, 4001, 4002, 4003, 4004, 4005, 4006, 4007]);
});

test('a base that leaves no room for ten ports is refused', () => {
  expect(platformPorts(65_526).postgres).toBe(65_533);
  for (const base of [0, -1, 1.5, Number.NaN, 65_527])
    expect(() => platformPorts(base)).toThrow('--port-base must be');
});
