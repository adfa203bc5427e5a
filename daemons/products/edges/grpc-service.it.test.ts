import { type DatabaseGate, SOON_MS, startDatabaseGate } from '@jobber/compose/test-database-gate';
import {
  type CreateProductsRequest,
  type ProductOutcome,
  type ProductsServiceClient,
  ProductsServiceDefinition,
} from '@jobber/proto/products/v1/products';
import { type CallerName, credentialOf, deadline } from '@jobber/shared/grpc';
import { createChannel, createClient, Metadata, Status } from 'nice-grpc';
import { afterAll, beforeEach, expect, test } from 'vitest';
import {
  inOneMessage,
  product,
  refusedField,
  startTestProducts,
  TEST_SERVICE_SECRET,
  written,
} from '../test-products.ts';

const products = await startTestProducts();
const { pool } = products.database;
const executor = products.grpcClient();

beforeEach(() => pool.query('truncate product, effect restart identity'));

async function counts(): Promise<[products: number, effects: number]> {
  const { rows } = await pool.query(
    'select (select count(*) from product)::int as p, (select count(*) from effect)::int as e',
  );
  return [rows[0].p, rows[0].e];
}

function items(count: number, description?: string) {
  const record = product(description === undefined ? {} : { description });
  return Array.from({ length: count }, (_, itemIndex) => ({ itemIndex, record }));
}

async function create(
  request: CreateProductsRequest,
  client: ProductsServiceClient = executor,
): Promise<ProductOutcome[]> {
  return (await client.createProducts(inOneMessage(request), deadline(20_000))).outcomes;
}

/** A client that presents whatever it is given. */
function rawCall(metadata: Record<string, string>): Promise<unknown> {
  const channel = createChannel(products.grpcAddress);
  products.scope.defer('raw channel', () => channel.close());
  const client = createClient(ProductsServiceDefinition, channel);
  const options = { metadata: new Metadata(metadata), ...deadline(10_000) };
  return client.createProduct({ jobId: 1, itemIndex: 0, record: product() }, options);
}

test('CreateProducts answers each item in order, whatever became of it', async () => {
  const [a, b, c] = await products.write(1, [{}, { price: '-1' }, { sku: 'A' }], 40);
  expect(written(a)).toEqual({ productId: 1, created: true });
  expect(b).toEqual({
    $case: 'refused',
    value: { field: 'price', message: 'price must be a decimal from 0 to below 10000000000, got "-1"' },
  });
  expect(written(c).created).toBe(true);
  expect(await counts()).toEqual([2, 2]);
});

test('the messages of one call are one task: all of them are written, or none', async () => {
  async function* inParts() {
    const all = items(1_000);
    for (let from = 0; from < 1_000; from += 100) yield { jobId: 5, items: all.slice(from, from + 100) };
  }
  const { outcomes } = await executor.createProducts(inParts(), deadline(20_000));
  expect(outcomes.map(({ itemIndex }) => itemIndex)).toEqual(items(1_000).map(({ itemIndex }) => itemIndex));
  expect(await counts()).toEqual([1_000, 1_000]);
});

test('a call without items writes nothing', async () => {
  async function* nothing() {}
  expect((await executor.createProducts(nothing(), deadline(30_000))).outcomes).toEqual([]);
  expect(await create({ jobId: 1, items: [] })).toEqual([]);
});

test('CreateProduct writes one; those that arrive together are written together, each with its own answer', async () => {
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      executor.createProduct(
        { jobId: 1 + (i % 3), itemIndex: i, record: product(i % 10 === 0 ? { stock: -1 } : {}) },
        deadline(20_000),
      ),
    ),
  );
  const refused = answers.filter(({ outcome }) => refusedField(outcome?.outcome) === 'stock');
  expect(refused).toHaveLength(20);
  expect(answers.map(({ outcome }) => outcome?.itemIndex)).toEqual(answers.map((_, i) => i));
  expect(await counts()).toEqual([180, 180]);
});

test('the same CreateProduct many times at once has one effect and one answer', async () => {
  const request = { jobId: 9, itemIndex: 3, record: product() };
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => executor.createProduct(request, deadline(20_000))),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(await counts()).toEqual([1, 1]);
});

test('CreateProduct and CreateProducts share the ledger', async () => {
  const [first] = await products.write(1, [{}]);
  const again = await executor.createProduct({ jobId: 1, itemIndex: 0, record: product() }, deadline(30_000));
  expect(again.outcome?.outcome).toEqual(first);
  expect(await counts()).toEqual([1, 1]);
});

test('5,000 items are taken in one call, one more is refused and nothing of it is written', async () => {
  expect(await create({ jobId: 1, items: items(5_000) })).toHaveLength(5_000);
  await pool.query('truncate product, effect');
  await expect(create({ jobId: 1, items: items(5_001) })).rejects.toMatchObject({
    code: Status.RESOURCE_EXHAUSTED,
    details: 'One call takes at most 5000 items',
  });
  expect(await counts()).toEqual([0, 0]);
});

test('an endless call is refused as soon as it is over the limit', async () => {
  async function* endless() {
    for (let n = 0; ; n += 1)
      yield { jobId: 1, items: items(500).map((item) => ({ ...item, itemIndex: n })) };
  }
  await expect(executor.createProducts(endless(), deadline(20_000))).rejects.toMatchObject({
    code: Status.RESOURCE_EXHAUSTED,
  });
  expect(await counts()).toEqual([0, 0]);
});

test('a message over 8 MB is refused, and the service still serves', async () => {
  await expect(create({ jobId: 1, items: items(900, 'd'.repeat(10_000)) })).rejects.toMatchObject({
    code: Status.RESOURCE_EXHAUSTED,
  });
  expect(await counts()).toEqual([0, 0]);
  expect(await create({ jobId: 1, items: items(700, 'd'.repeat(10_000)) })).toHaveLength(700);
});

test.each<[string, CreateProductsRequest, string]>([
  ['job 0', { jobId: 0, items: items(1) }, 'job_id must be the id of a job'],
  ['job -1', { jobId: -1, items: items(1) }, 'job_id must be the id of a job'],
  [
    'item -1',
    { jobId: 1, items: [{ itemIndex: -1, record: product() }] },
    'item_index must be a whole number from 0 to 2147483647',
  ],
  [
    'item 2147483648',
    { jobId: 1, items: [{ itemIndex: 2_147_483_648, record: product() }] },
    'item_index must be a whole number from 0 to 2147483647',
  ],
  ['no record', { jobId: 1, items: [{ itemIndex: 7, record: undefined }] }, 'Item 7 has no record'],
])('%s is refused, and the sound items beside it are not written', async (_, request, message) => {
  const beside = { jobId: request.jobId, items: [...items(3).slice(1), ...request.items] };
  await expect(create(beside)).rejects.toMatchObject({ code: Status.INVALID_ARGUMENT, details: message });
  expect(await counts()).toEqual([0, 0]);
});

test('an int64 that JavaScript can not hold is refused', async () => {
  // The generated encoder refuses it too, so the bytes are written by hand: field 1, varint 2^62.
  const bytes = Buffer.from([0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40]);
  const definition = {
    ...ProductsServiceDefinition,
    methods: {
      createProduct: {
        ...ProductsServiceDefinition.methods.createProduct,
        requestType: { ...ProductsServiceDefinition.methods.createProduct.requestType },
      },
    },
  };
  definition.methods.createProduct.requestType.encode = () => ({ finish: () => bytes }) as never;
  const channel = createChannel(products.grpcAddress);
  products.scope.defer('raw channel', () => channel.close());
  const client = createClient(definition, channel);
  const metadata = new Metadata({
    'x-jobber-caller': 'executor',
    'x-jobber-credential': credentialOf('executor', TEST_SERVICE_SECRET),
  });
  const call = client.createProduct({}, { metadata, ...deadline(30_000) });
  await expect(call).rejects.toBeInstanceOf(Error);
  expect(await counts()).toEqual([0, 0]);
  expect(await create({ jobId: 1, items: items(1) })).toHaveLength(1);
});

test('messages of one call that name different jobs are refused together', async () => {
  async function* twoJobs() {
    yield { jobId: 1, items: items(2) };
    yield { jobId: 2, items: items(2) };
  }
  await expect(executor.createProducts(twoJobs(), deadline(30_000))).rejects.toMatchObject({
    code: Status.INVALID_ARGUMENT,
    details: 'All messages of a call must name the same job',
  });
  expect(await counts()).toEqual([0, 0]);
});

test('only the executor may write', async () => {
  for (const caller of ['auth', 'jobs', 'products'] as const satisfies CallerName[]) {
    const client = products.grpcClient(caller);
    const single = client.createProduct({ jobId: 1, itemIndex: 0, record: product() }, deadline(30_000));
    await expect(single).rejects.toMatchObject({ code: Status.PERMISSION_DENIED });
    await expect(create({ jobId: 1, items: items(1) }, client)).rejects.toMatchObject({
      code: Status.PERMISSION_DENIED,
      details: `${caller} may not call CreateProducts`,
    });
  }
  expect(await counts()).toEqual([0, 0]);
});

test('without the service credential nobody may write: none, a wrong one, another’s, or a user’s token', async () => {
  const credential = credentialOf('executor', TEST_SERVICE_SECRET);
  const refused: Record<string, string>[] = [
    {},
    { 'x-jobber-caller': 'executor' },
    { 'x-jobber-credential': credential },
    { 'x-jobber-caller': 'executor', 'x-jobber-credential': '' },
    { 'x-jobber-caller': 'executor', 'x-jobber-credential': credentialOf('executor', 'another secret') },
    { 'x-jobber-caller': 'executor', 'x-jobber-credential': credentialOf('jobs', TEST_SERVICE_SECRET) },
    { 'x-jobber-caller': 'executor', 'x-jobber-credential': TEST_SERVICE_SECRET },
    { 'x-jobber-caller': 'executor', 'x-jobber-credential': 'admin' },
    { authorization: 'Bearer admin' },
  ];
  for (const metadata of refused) {
    await expect(rawCall(metadata)).rejects.toMatchObject({ code: Status.UNAUTHENTICATED });
  }
  expect(await counts()).toEqual([0, 0]);
  await rawCall({ 'x-jobber-caller': 'executor', 'x-jobber-credential': credential });
  expect(await counts()).toEqual([1, 1]);
});

test('a call that is cancelled midway leaves nothing half-written', async () => {
  const cancelled = new AbortController();
  async function* halfSent() {
    yield { jobId: 1, items: items(100) };
    cancelled.abort();
    yield { jobId: 1, items: items(100) };
  }
  await expect(executor.createProducts(halfSent(), { signal: cancelled.signal })).rejects.toMatchObject({
    name: 'AbortError',
  });
  // The next call is behind it on the same connection.
  await products.write(2, [{}]);
  expect(await counts()).toEqual([1, 1]);
});

test('a call that is cancelled while it is written is written wholly or not at all, and can be repeated', async () => {
  const lock = await pool.connect();
  await lock.query('begin; lock table product in share mode');
  const cancelled = new AbortController();
  const call = executor.createProducts(inOneMessage({ jobId: 1, items: items(100) }), {
    signal: cancelled.signal,
  });
  const waiting =
    "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  await expect.poll(async () => (await pool.query(waiting)).rowCount).toBeGreaterThan(0);
  cancelled.abort();
  await expect(call).rejects.toMatchObject({ name: 'AbortError' });
  await lock.query('rollback');
  lock.release();
  expect(await create({ jobId: 1, items: items(100) })).toHaveLength(100);
  expect(await counts()).toEqual([100, 100]);
});

test('a deadline of a millisecond and garbage on the port do no harm', async () => {
  const hasty = Array.from({ length: 20 }, (_, itemIndex) =>
    executor.createProduct({ jobId: 3, itemIndex, record: product() }, deadline(1)),
  );
  await Promise.allSettled(hasty);
  const garbage = await fetch(`http://${products.grpcAddress}/`).catch(() => undefined);
  expect(garbage?.ok ?? false).toBe(false);
  await create({ jobId: 3, items: items(20) });
  expect(await counts()).toEqual([20, 20]);
});

test('while the database is away a call is refused as retryable, soon; afterwards it is written once', async () => {
  let gate: DatabaseGate | undefined;
  const gated = await startTestProducts({}, async (url) => {
    gate = await startDatabaseGate(url);
    return gate.url;
  });
  afterAll(() => gate?.close());
  const client = gated.grpcClient();
  const request = { jobId: 1, items: items(10) };
  await create(request, client);
  for (const away of ['cut', 'fallSilent'] as const) {
    gate?.[away]();
    const started = performance.now();
    const answers = await Promise.allSettled([
      create(request, client),
      client.createProduct({ jobId: 2, itemIndex: 0, record: product() }, deadline(30_000)),
    ]);
    const refusal = {
      code: Status.UNAVAILABLE,
      details: 'The service is not available at the moment; try again',
    };
    expect(answers).toMatchObject([{ reason: refusal }, { reason: refusal }]);
    expect(performance.now() - started).toBeLessThan(SOON_MS);
    gate?.open();
  }
  await expect.poll(() => create(request, client).then(() => 'served', String)).toBe('served');
  const { rows } = await gated.database.pool.query('select count(*)::int as n from product');
  expect(rows[0].n).toBe(10);
  expect(gated.logLines.join('')).not.toContain('uncaught');
});
