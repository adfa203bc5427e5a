import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchBySize } from './batch-by-size.ts';

test('batches hold all items in order and stay under the size, unless one item alone is larger', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (sizes) => {
      const batches = [...batchBySize(sizes, (size) => size, 10)];
      expect(batches.flat()).toEqual(sizes);
      for (const batch of batches) {
        expect(batch.length).toBeGreaterThan(0);
        if (batch.length > 1) expect(batch.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(10);
      }
    }),
  );
});
