import type { UploadSlice } from '@jobber/db/jobs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutItems, cutSlices, MAX_ITEM_BYTES } from './cut-into-tasks.ts';

const texts = fc.array(
  fc.record({ n: fc.integer(), text: fc.string() }).map((item) => JSON.stringify(item)),
  {
    minLength: 1,
    maxLength: 200,
  },
);

test('tasks hold all items in order, each once, and never too many', () => {
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 50 }), (items, itemsPerTask) => {
      const tasks = cutItems(
        items.map((text) => ({ text, bytes: Buffer.byteLength(text) })),
        itemsPerTask,
      );
      expect(tasks.flatMap((task) => JSON.parse(task.items ?? ''))).toEqual(
        items.map((item) => JSON.parse(item)),
      );
      let next = 0;
      for (const { firstItem, itemCount } of tasks) {
        expect(firstItem).toBe(next);
        expect(itemCount).toBeLessThanOrEqual(itemsPerTask);
        next += itemCount;
      }
      expect(next).toBe(items.length);
    }),
  );
});

test('the items of one task stay under the size that travels in a message', () => {
  const bytes = MAX_ITEM_BYTES / 3;
  const items = Array.from({ length: 10 }, () => ({ text: '0', bytes }));
  expect(cutItems(items, 100).map(({ itemCount }) => itemCount)).toEqual([3, 3, 3, 1]);
});

test('slices are joined to tasks without a gap, and never cut', () => {
  const counts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: 1_000 }), (sizes, itemsPerTask) => {
      let first = 0;
      const slices = sizes.map((count): UploadSlice => {
        first += count;
        return [first - count, count, (first - count) * 10, first * 10 - 1, first - count + 1];
      });
      const tasks = cutSlices(slices, itemsPerTask);
      let next = 0;
      for (const { firstItem, itemCount, byteFrom, byteTo, line } of tasks) {
        expect([firstItem, byteFrom, byteTo, line]).toEqual([
          next,
          next * 10,
          (next + itemCount) * 10 - 1,
          next + 1,
        ]);
        if (itemCount > itemsPerTask) expect(sizes).toContain(itemCount);
        next += itemCount;
      }
      expect(next).toBe(first);
    }),
  );
});
