import { type DatabaseGate, SOON_MS, startDatabaseGate } from '@jobber/compose/test-database-gate';
import { beforeAll, expect, test } from 'vitest';
import { reasonOf, startTestProducts, written } from '../test-products.ts';

const products = await startTestProducts();

const LIST = `query ($filter: ProductFilter, $limit: Int, $before: ID) {
  products(filter: $filter, limit: $limit, before: $before) { id name }
}`;
const FIELDS = 'id name category price basePrice stock rating description sku';

const CATALOG = [
  { name: 'Oak Table', category: 'Furniture', price: '100', stock: 0, rating: '4.125', sku: 'F-1' },
  { name: 'oak chair', category: 'Furniture', price: '49.99', stock: 3 },
  { name: '100% Wool Socks', category: 'Apparel', price: '5', stock: 9 },
  { name: '100 Wool Socks', category: 'Apparel', price: '5', stock: 9 },
  { name: 'file_name', category: 'Garden', price: '12.50', stock: 1 },
  { name: 'fileXname', category: 'Garden', price: '12.5', stock: 1 },
  { name: 'back\\slash', category: 'Garden', price: '0', stock: 1 },
  { name: 'Ünï 😀', category: 'Grocery', price: '0.01', stock: 2_147_483_647 },
];
const ids: string[] = [];

beforeAll(async () => {
  const outcomes = [
    ...(await products.write(1, CATALOG.slice(0, 1))),
    ...(await products.write(1, CATALOG.slice(1, 4), 1)),
    ...(await products.write(2, CATALOG.slice(4))),
  ];
  ids.push(...outcomes.map((outcome) => String(written(outcome).productId)));
});

async function names(filter: object): Promise<string[]> {
  const answer = await products.ask(LIST, { filter });
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data.products.map(({ name }: { name: string }) => name);
}

test('a product shows all its fields: decimals as exact text with two decimals at least', async () => {
  const { data } = await products.ask(`{ product(id: "${ids[0]}") { ${FIELDS} } }`);
  expect(data.product).toEqual({
    id: ids[0],
    name: 'Oak Table',
    category: 'Furniture',
    price: '106.00',
    basePrice: '100.00',
    stock: 0,
    rating: 4.125,
    description: 'Gives light.',
    sku: 'F-1',
  });
  const list = await products.ask(`{ products(filter: {name: "chair"}) { ${FIELDS} } }`);
  expect(list.data.products).toMatchObject([{ price: '52.9894', basePrice: '49.99', sku: null }]);
});

test('categories come by name, with their charges', async () => {
  const { data } = await products.ask('{ categories { name charge } }');
  expect(data.categories).toEqual([
    { name: 'Apparel', charge: '3' },
    { name: 'Electronics', charge: '5' },
    { name: 'Furniture', charge: '6' },
    { name: 'Grocery', charge: '2' },
    { name: 'Health & Beauty', charge: '3' },
    { name: 'Home & Kitchen', charge: '4' },
    { name: 'Office Supplies', charge: '4' },
    { name: 'Sports & Outdoors', charge: '4' },
    { name: 'Toys & Games', charge: '3' },
  ]);
});

test.each<[string, object, string[]]>([
  ['a part of the name, any case', { name: 'OAK' }, ['oak chair', 'Oak Table']],
  ['% means itself', { name: '100%' }, ['100% Wool Socks']],
  ['a lone % finds only what has one', { name: '%' }, ['100% Wool Socks']],
  ['_ means itself', { name: 'file_' }, ['file_name']],
  ['a backslash means itself', { name: '\\' }, ['back\\slash']],
  ['a quote means itself', { name: "'; drop table product; --" }, []],
  ['one character', { name: '😀' }, ['Ünï 😀']],
  ['letters beyond ASCII, any case', { name: 'ÜNÏ' }, ['Ünï 😀']],
  ['a category, exactly', { category: 'Garden' }, ['back\\slash', 'fileXname', 'file_name']],
  ['a category in another case is another one', { category: 'garden' }, []],
  ['a sku', { sku: 'F-1' }, ['Oak Table']],
  [
    'prices with their charge, both ends inclusive',
    { minPrice: '12.5', maxPrice: '52.9894' },
    ['fileXname', 'file_name', 'oak chair'],
  ],
  ['a price by a digit', { minPrice: '52.9895', maxPrice: '105.9999999999' }, []],
  ['a maximum price', { maxPrice: '0.010200' }, ['Ünï 😀', 'back\\slash']],
  ['no such range', { minPrice: '10', maxPrice: '9' }, []],
  ['sold out', { inStock: false }, ['Oak Table']],
  ['in stock, of a category', { inStock: true, category: 'Furniture' }, ['oak chair']],
  ['of a job', { jobId: 1, category: 'Furniture' }, ['oak chair', 'Oak Table']],
  ['of a job that wrote none', { jobId: 3 }, []],
  [
    'all at once',
    { name: 'oak', category: 'Furniture', sku: 'F-1', minPrice: '1', inStock: false, jobId: 1 },
    ['Oak Table'],
  ],
  ['nulls are no filter', { name: null, sku: 'F-1', jobId: null, inStock: null }, ['Oak Table']],
])('filters: %s', async (_, filter, expected) => {
  expect(await names(filter)).toEqual(expected);
});

test.each<[object, string]>([
  [{ name: '' }, 'name must have 1 to 255 characters'],
  [{ name: 'x'.repeat(256) }, 'name must have 1 to 255 characters'],
  [{ category: '' }, 'category must have 1 to 255 characters'],
  [{ sku: '' }, 'sku must have 1 to 255 characters'],
  [{ minPrice: 'abc' }, 'minPrice must be a decimal such as 12.50'],
  [{ minPrice: '-1' }, 'minPrice must be a decimal such as 12.50'],
  [{ maxPrice: '1e400' }, 'maxPrice must be a decimal such as 12.50'],
  [{ maxPrice: 'NaN' }, 'maxPrice must be a decimal such as 12.50'],
  [{ jobId: 1.5 }, 'jobId must be the id of a job'],
  [{ jobId: -1 }, 'jobId must be the id of a job'],
  [{ jobId: 1e308 }, 'jobId must be the id of a job'],
])('the filter %j is refused', async (filter, message) => {
  const { errors } = await products.ask(LIST, { filter });
  expect(errors?.[0]).toMatchObject({ message, extensions: { code: 400, reason: 'INVALID_INPUT' } });
});

test('an unknown filter, an operator in place of text and a wrong type are refused', async () => {
  const bad = [{ owner: 'x' }, { name: { $ne: null } }, { name: ['a'] }, { minPrice: 5 }, { inStock: 'yes' }];
  for (const filter of bad) {
    expect(reasonOf(await products.ask(LIST, { filter }))).toBe('INVALID_INPUT');
  }
});

test('NUL in a filter is an ordinary refusal', async () => {
  expect(reasonOf(await products.ask('{ products(filter: {name: "a\\u0000"}) { id } }'))).toBe(
    'INVALID_INPUT',
  );
  expect(reasonOf(await products.ask('{ products(filter: {sku: "\\ud800"}) { id } }'))).toMatch(
    /^(INVALID_INPUT|MALFORMED_REQUEST)$/,
  );
});

test('products come newest first, 50 if not told otherwise, and pages go on where the last one ended', async () => {
  await products.write(
    7,
    Array.from({ length: 120 }, (_, i) => ({ name: `paged ${i}` })),
  );
  expect((await products.ask('{ products { id } }')).data.products).toHaveLength(50);
  const filter = { jobId: 7 };
  const seen: string[] = [];
  for (let before: string | undefined; ; before = seen.at(-1)) {
    const page = (await products.ask(LIST, { filter, limit: 33, before })).data.products as { id: string }[];
    if (page.length === 0) break;
    seen.push(...page.map(({ id }) => id));
    // What arrives meanwhile is newer, and moves no page.
    if (before === undefined) await products.write(7, [{ name: 'late' }], 120);
  }
  expect(seen).toHaveLength(120);
  expect(seen.map(Number)).toEqual(seen.map(Number).sort((a, b) => b - a));
  expect(new Set(seen).size).toBe(120);
  expect((await products.ask(LIST, { limit: 200, before: ids[1] })).data.products).toEqual([
    { id: ids[0], name: 'Oak Table' },
  ]);
});

test.each([0, -1, 201])('a limit of %i is refused', async (limit) => {
  const { errors } = await products.ask(LIST, { limit });
  expect(errors?.[0]).toMatchObject({
    message: `limit must be a whole number from 1 to 200, got ${limit}`,
    extensions: { code: 400, reason: 'INVALID_INPUT', details: { limit: 200 } },
  });
});

test.each(['abc', '', '-1', '1.5', '0', '1e3', '99999999999999999999'])(
  'a page can not go on after %j',
  async (before) => {
    expect(reasonOf(await products.ask(LIST, { before }))).toBe('INVALID_INPUT');
  },
);

test.each([
  '0',
  '-1',
  '1.5',
  '1e308',
  'abc',
  '',
  ' 1',
  '0x1',
  '١',
  '99999999999999999999',
  '9007199254740991',
])('a product with ID %j is missing, like any other that is not there', async (id) => {
  const { data, errors } = await products.ask('query ($id: ID!) { product(id: $id) { id } }', { id });
  expect(data).toBeNull();
  expect(errors?.[0]).toMatchObject({
    message: `Product with ID ${id} not found`,
    extensions: { code: 404, reason: 'NOT_FOUND' },
  });
});

test('an id may be written as a number; a long one is not echoed', async () => {
  expect((await products.ask(`{ product(id: ${ids[0]}) { name } }`)).data.product.name).toBe('Oak Table');
  expect(reasonOf(await products.ask('{ product(id: 99999999999999999999) { name } }'))).toBe('NOT_FOUND');
  const long = await products.ask(`{ product(id: "${'7'.repeat(10_000)}") { name } }`);
  expect(long.errors?.[0]?.message.length).toBeLessThan(80);
});

test('every role may read; who has no permission may not', async () => {
  const queries = ['{ products { id } }', `{ product(id: "${ids[0]}") { id } }`, '{ categories { name } }'];
  for (const query of queries) {
    for (const token of ['viewer', 'member', 'operator', 'admin']) {
      expect((await products.ask(query, {}, token)).errors).toBeUndefined();
    }
    const { errors } = await products.ask(query, {}, 'nobody');
    expect(errors?.[0]?.extensions).toMatchObject({ code: 403, reason: 'FORBIDDEN' });
  }
});

test('without a login, and with a token that is none, the answer is Unauthorized', async () => {
  const queries = ['{ products { id } }', `{ product(id: "${ids[0]}") { id } }`, '{ categories { name } }'];
  const presented: Record<string, string>[] = [
    {},
    { authorization: 'Bearer nonsense' },
    { authorization: 'Bearer ' },
    { authorization: 'viewer' },
    { authorization: 'Basic viewer' },
    { cookie: 'Authentication=nonsense' },
    { cookie: 'authentication=viewer' },
  ];
  for (const query of queries) {
    for (const headers of presented) {
      const { answer, status } = await products.post({ query }, headers);
      expect(status).toBe(200);
      expect(answer.data).toBeNull();
      expect(answer.errors?.[0]).toMatchObject({
        message: 'Unauthorized',
        extensions: { code: 401, reason: 'UNAUTHENTICATED' },
      });
    }
  }
});

test("the cookie is accepted, but not from another site's page", async () => {
  const cookie = 'Authentication=viewer';
  const query = '{ categories { name } }';
  expect((await products.post({ query }, { cookie })).answer.data.categories).toHaveLength(9);
  const crossSite: Record<string, string>[] = [
    { origin: 'https://attacker.example' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'null' },
  ];
  for (const headers of crossSite) {
    const { answer } = await products.post({ query }, { cookie, ...headers });
    expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 403, reason: 'CROSS_SITE' });
  }
});

test('what is no query is refused, and so is one that asks for too much', async () => {
  const unanswered = ['', '{', '{ products { password } }', '{ effect { id } }'];
  for (const query of unanswered) expect(reasonOf(await products.ask(query))).toBe('MALFORMED_REQUEST');
  expect(reasonOf(await products.ask('mutation { products { id } }'))).toBe('INVALID_INPUT');
  const aliases = Array.from({ length: 500 }, (_, i) => `a${i}: products(limit: 200) { id }`).join(' ');
  expect(reasonOf(await products.ask(`{ ${aliases} }`))).toBe('QUERY_TOO_COMPLEX');
  // Its connection is closed by the server, which has not read it to its end.
  const large = { query: '{ categories { name } }', variables: { x: 'x'.repeat(300_000) } };
  const { answer } = await products.post(large, { connection: 'close' });
  expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 413, reason: 'TOO_LARGE' });
});

test('health and metrics are served without a login, and tell nothing of the catalog', async () => {
  for (const path of ['/products/healthcheck', '/products/live', '/products/ready']) {
    expect((await fetch(`${products.origin}${path}`)).status).toBe(200);
  }
  const metrics = await (await fetch(`${products.origin}/metrics`)).text();
  expect(metrics).toMatch(/jobber_products_items_total\{outcome="created",daemon="products"\} \d+/);
  expect(metrics).toContain('jobber_products_write_seconds_count');
  expect(metrics).not.toContain('Oak');
});

test('in production the schema is told to nobody', async () => {
  const production = await startTestProducts({ environment: 'production' });
  expect(reasonOf(await production.ask('{ __schema { types { name } } }'))).toBe('MALFORMED_REQUEST');
  const misspelt = await production.ask('{ product(id: 1) { nam } }');
  expect(misspelt.errors?.[0]?.message).not.toMatch(/did you mean/i);
});

test('while Auth is away the answer is "unavailable", never "Unauthorized", and soon', async () => {
  const alone = await startTestProducts();
  const client = await startTestProducts({ authGrpcUrl: '127.0.0.1:1' });
  expect(reasonOf(await alone.ask('{ categories { name } }'))).toContain('Apparel');
  const started = performance.now();
  const { errors } = await client.ask('{ categories { name } }');
  expect(errors?.[0]?.extensions).toMatchObject({ code: 503, reason: 'UNAVAILABLE' });
  expect(performance.now() - started).toBeLessThan(SOON_MS);
});

test('while the database is away every query is refused as retryable, soon, and then served again', async () => {
  let gate: DatabaseGate | undefined;
  const gated = await startTestProducts({}, async (url) => {
    gate = await startDatabaseGate(url);
    return gate.url;
  });
  gated.scope.defer('gate', () => gate?.close());
  const queries = ['{ products { id } }', '{ product(id: 1) { id } }', '{ categories { name } }'];
  const ready = async () => (await fetch(`${gated.origin}/products/ready`)).status;
  for (const away of ['cut', 'fallSilent'] as const) {
    expect(reasonOf(await gated.ask('{ categories { name } }'))).toContain('Apparel');
    gate?.[away]();
    const started = performance.now();
    const answers = await Promise.all(queries.map((query) => gated.ask(query)));
    expect(performance.now() - started).toBeLessThan(SOON_MS);
    for (const { errors } of answers) {
      expect(errors?.[0]).toMatchObject({
        message: 'The service is not available at the moment; try again',
        extensions: { code: 503, reason: 'UNAVAILABLE' },
      });
    }
    expect(await ready()).toBe(503);
    expect((await fetch(`${gated.origin}/products/live`)).status).toBe(200);
    gate?.open();
    await expect.poll(ready).toBe(200);
  }
});
