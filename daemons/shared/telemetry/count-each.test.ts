import { expect, test } from 'vitest';
import { Counter, countEach, createMetrics } from './index.ts';

test('each thing counts once, by its label', async () => {
  const counter = new Counter({
    name: 'things_total',
    help: 'Things',
    labelNames: ['type'],
    registers: [createMetrics('test')],
  });
  countEach(counter, 'type', ['a', 'b', 'a'], (type) => type);
  countEach(counter, 'type', [], (type) => type);
  const { values } = await counter.get();
  expect(values.map(({ value, labels }) => [labels['type'], value])).toEqual([
    ['a', 2],
    ['b', 1],
  ]);
});
