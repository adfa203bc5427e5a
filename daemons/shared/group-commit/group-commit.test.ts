import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createGroupCommit } from './index.ts';

test('what arrives in one turn is done together, and each gets its own result', async () => {
  const batches: number[][] = [];
  const group = createGroupCommit<number, number>({
    maxBatch: 10,
    concurrency: 1,
    async run(items) {
      batches.push([...items]);
      return items.map((item) => item * 2);
    },
  });
  expect(await Promise.all([1, 2, 3].map((item) => group.submit(item)))).toEqual([2, 4, 6]);
  expect(batches).toEqual([[1, 2, 3]]);
});

test('what is submitted at once may come into several batches; its results are in order', async () => {
  const batches: number[][] = [];
  const group = createGroupCommit<number, number>({
    maxBatch: 2,
    concurrency: 2,
    async run(items) {
      batches.push([...items]);
      return items.map((item) => item * 2);
    },
  });
  const answers = await Promise.all([group.submit(0), group.submitAll([1, 2, 3]), group.submitAll([])]);
  expect(answers).toEqual([0, [2, 4, 6], []]);
  expect(batches).toEqual([
    [0, 1],
    [2, 3],
  ]);
});

test('what was submitted at once is rejected with the first error of any of it', async () => {
  const group = createGroupCommit<number, number>({
    maxBatch: 10,
    concurrency: 1,
    run: async (items) => items.map((item) => (item < 0 ? new Error(`refused ${item}`) : item)),
  });
  const others = group.submitAll([4, 5]);
  await expect(group.submitAll([1, -2, 3, -4])).rejects.toThrow('refused -2');
  expect(await others).toEqual([4, 5]);
});

test('what arrives while batches run is written in the next one', async () => {
  const batches: number[][] = [];
  const gate = Promise.withResolvers<void>();
  const group = createGroupCommit<number, number>({
    maxBatch: 10,
    concurrency: 1,
    async run(items) {
      batches.push([...items]);
      if (batches.length === 1) await gate.promise;
      return items;
    },
  });
  const first = group.submit(1);
  while (batches.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const later = [2, 3].map((item) => group.submit(item));
  await new Promise((resolve) => setImmediate(resolve));
  expect(batches).toEqual([[1]]);
  gate.resolve();
  await Promise.all([first, ...later]);
  expect(batches).toEqual([[1], [2, 3]]);
});

test('a batch ends before it weighs too much; what does so alone is a batch by itself', async () => {
  const batches: number[][] = [];
  const group = createGroupCommit<number, number>({
    maxBatch: 10,
    weigh: (item) => item,
    concurrency: 1,
    async run(items) {
      batches.push([...items]);
      return items;
    },
  });
  const asked = [4, 6, 1, 25, 9, 2, 8];
  expect(await Promise.all(asked.map((item) => group.submit(item)))).toEqual(asked);
  expect(batches).toEqual([[4, 6], [1], [25], [9], [2, 8]]);
});

test('an Error as a result rejects its item only; a failed batch rejects all of its items', async () => {
  const group = createGroupCommit<number, number>({
    maxBatch: 2,
    concurrency: 1,
    async run(items) {
      if (items.includes(3)) throw new Error('the batch failed');
      return items.map((item) => (item === 2 ? new Error('the item failed') : item));
    },
  });
  const settled = await Promise.allSettled([1, 2, 3, 4, 5].map((item) => group.submit(item)));
  const seen = settled.map((result) =>
    result.status === 'fulfilled' ? result.value : result.reason.message,
  );
  expect(seen).toEqual([1, 'the item failed', 'the batch failed', 'the batch failed', 5]);
});

test('no batch is larger, and no more run at once, than allowed; nothing is lost or done twice', async () => {
  const sizes = { items: fc.integer({ min: 0, max: 200 }), maxBatch: fc.integer({ min: 1, max: 50 }) };
  const property = fc.asyncProperty(
    fc.record({ ...sizes, concurrency: fc.integer({ min: 1, max: 5 }) }),
    async ({ items, maxBatch, concurrency }) => {
      const done: number[] = [];
      let running = 0;
      const group = createGroupCommit<number, number>({
        maxBatch,
        concurrency,
        async run(batch) {
          running += 1;
          expect(running).toBeLessThanOrEqual(concurrency);
          expect(batch.length).toBeLessThanOrEqual(maxBatch);
          await new Promise((resolve) => setImmediate(resolve));
          done.push(...batch);
          running -= 1;
          return batch;
        },
      });
      const asked = Array.from({ length: items }, (_, item) => item);
      expect(await Promise.all(asked.map((item) => group.submit(item)))).toEqual(asked);
      await group.drain();
      expect(done.sort((a, b) => a - b)).toEqual(asked);
    },
  );
  await fc.assert(property, { numRuns: 30 });
});
