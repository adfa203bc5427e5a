import { type ProductItem, ProductsServiceDefinition } from '@jobber/proto/products/v1/products';
import { createGrpcClient, serveGrpc } from '@jobber/shared/grpc';
import { createScope } from '@jobber/shared/lifecycle';
import { createLogger } from '@jobber/shared/log';
import { ServerError, Status } from 'nice-grpc';
import { expect, onTestFinished, test } from 'vitest';
import { SERVICE_SECRET } from '../testing/test-fake-jobs.ts';
import { createProductWriter } from './product-writer.ts';

const never = new AbortController().signal;

async function startProducts(answer: () => void = () => {}) {
  const messages: number[] = [];
  const scope = createScope(createLogger({ daemon: 'test', level: 'silent' }));
  onTestFinished(() => scope.release());
  const port = await serveGrpc({
    host: '127.0.0.1',
    port: 0,
    serviceSecret: SERVICE_SECRET,
    tls: undefined,
    services: [
      {
        definition: ProductsServiceDefinition,
        implementation: {
          createProduct: () => Promise.reject(new Error('not used')),
          async createProducts(requests: AsyncIterable<{ items: ProductItem[] }>) {
            answer();
            const outcomes = [];
            for await (const { items } of requests) {
              messages.push(items.length);
              for (const { itemIndex } of items) {
                outcomes.push({
                  itemIndex,
                  outcome: { $case: 'written' as const, value: { productId: itemIndex + 1, created: true } },
                });
              }
            }
            return { outcomes };
          },
        },
        callers: { CreateProducts: ['executor'] },
      },
    ],
    scope,
    log: createLogger({ daemon: 'test', level: 'silent' }),
  });
  const client = createGrpcClient(ProductsServiceDefinition, {
    address: `127.0.0.1:${port}`,
    caller: 'executor',
    serviceSecret: SERVICE_SECRET,
    tls: undefined,
    scope,
  });
  return { write: createProductWriter(client), messages };
}

function product(itemIndex: number, description = 'd'): ProductItem {
  const record = { name: 'n', category: 'c', price: '1', stock: 1, rating: '1', description, sku: undefined };
  return { itemIndex, record };
}

test('the products of a task travel in as few messages as they fit into, and are answered in order', async () => {
  const { write, messages } = await startProducts();
  const items = Array.from({ length: 12 }, (_, index) => product(index, 'd'.repeat(100_000)));
  const outcomes = await write(1, items, never);
  expect(messages).toEqual([5, 5, 2]);
  expect(outcomes.map(({ itemIndex }) => itemIndex)).toEqual(items.map(({ itemIndex }) => itemIndex));
});

test('a record that is longer than a message should be travels alone', async () => {
  const { write, messages } = await startProducts();
  await write(1, [product(0), product(1, 'd'.repeat(1_000_000)), product(2)], never);
  expect(messages).toEqual([1, 1, 1]);
});

test.each([
  [Status.UNAVAILABLE, 'UnavailableError'],
  [Status.DEADLINE_EXCEEDED, 'UnavailableError'],
  // The same records may meet it again: that must not go on for ever.
  [Status.INTERNAL, 'AppError'],
])('a failure of Products (%s) is told without its inside, as %s', async (status, name) => {
  const { write } = await startProducts(() => {
    throw new ServerError(status, 'database at 10.0.0.7 is down');
  });
  const message = "Products can't be reached at the moment; try again";
  await expect(write(1, [product(0)], never)).rejects.toMatchObject({ name, message });
});

test('a refusal by Products is no outage', async () => {
  const { write } = await startProducts(() => {
    throw new ServerError(Status.INVALID_ARGUMENT, 'At most 1000 products');
  });
  const refused = { name: 'AppError', message: 'At most 1000 products' };
  await expect(write(1, [product(0)], never)).rejects.toMatchObject(refused);
});

test('an abort ends the call with the reason of the abort', async () => {
  const { write } = await startProducts();
  const controller = new AbortController();
  const writing = write(1, [product(0)], controller.signal);
  controller.abort(new Error('enough'));
  await expect(writing).rejects.toThrow('enough');
});
