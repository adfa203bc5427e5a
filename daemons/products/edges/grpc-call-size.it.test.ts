import type { CreateProductsRequest } from '@jobber/proto/products/v1/products';
import { deadline } from '@jobber/shared/grpc';
import { Status } from 'nice-grpc';
import { expect, test } from 'vitest';
import { product, startTestProducts } from '../test-products.ts';

const MESSAGE_ITEMS = 50;
/** Of 4 bytes each in UTF-8: the longest description there can be. */
const LONGEST = '\u{1f4a1}'.repeat(10_000);

const products = await startTestProducts();

/** Messages of about 2 MB each. */
async function* messages(jobId: number, count: number, sent: { messages: number }) {
  for (let first = 0; first < count * MESSAGE_ITEMS; first += MESSAGE_ITEMS) {
    const items = Array.from({ length: MESSAGE_ITEMS }, (_, i) => ({
      itemIndex: first + i,
      record: product({ description: LONGEST }),
    }));
    sent.messages += 1;
    yield { jobId, items } satisfies CreateProductsRequest;
  }
}

async function written(jobId: number): Promise<number> {
  const { rows } = await products.database.pool.query(
    'select count(*)::int as n from product where job_id = $1',
    [jobId],
  );
  return rows[0].n;
}

test('a call of almost 8 MB of text is written', async () => {
  const call = messages(1, 4, { messages: 0 });
  const { outcomes } = await products.grpcClient().createProducts(call, deadline(30_000));
  expect(outcomes).toHaveLength(200);
  expect(await written(1)).toBe(200);
});

test('a call of more text is refused before it has all been sent, and nothing of it is written', async () => {
  const sent = { messages: 0 };
  const call = products.grpcClient().createProducts(messages(2, 90, sent), deadline(30_000));
  await expect(call).rejects.toMatchObject({
    code: Status.RESOURCE_EXHAUSTED,
    details: 'One call takes at most 8388608 bytes of text',
  });
  expect(sent.messages).toBeLessThan(90);
  expect(await written(2)).toBe(0);
});
