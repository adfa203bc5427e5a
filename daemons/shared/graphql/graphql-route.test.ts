import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { AppError } from '@jobber/shared/errors';
import { createHealth } from '@jobber/shared/health';
import { serveHttp } from '@jobber/shared/http';
import { createScope } from '@jobber/shared/lifecycle';
import { createLogger } from '@jobber/shared/log';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { dateTimeScalar, exactJsonScalar, graphqlRoute } from './index.ts';

const config = { host: '127.0.0.1', port: 0 };
const health = createHealth();

const typeDefs = `
  scalar JSON
  scalar DateTime
  enum Colour { RED GREEN }
  input Login { email: String!, password: String!, colour: Colour }
  type Query {
    login(login: Login!): String!
    echo(data: JSON!): JSON
    twice(of: Float!): Float!
    same(ids: [ID!]!): [ID!]!
    refused: String!
    broken: String!
    nested: Nested!
    misdated: DateTime!
  }
  type Nested { broken: String, late: String }
`;

function appOf(
  production: boolean,
  log = createLogger({ daemon: 'test', level: 'silent' }),
  bodyArrivesWithinMs = 30_000,
): Hono {
  const route = graphqlRoute({
    path: '/test/graphql',
    typeDefs,
    resolvers: {
      login: () => 'in',
      echo: ({ data }: { data: unknown }) => data,
      same: ({ ids }: { ids: string[] }) => ids,
      twice: ({ of }: { of: number }) => 2 * of,
      refused: () => {
        throw new AppError('JOB_ENDED', 'It has ended', { status: 'COMPLETED' });
      },
      broken: () => {
        throw new Error('select * from secrets failed');
      },
      nested: () => ({
        broken: () => {
          throw new Error('at /srv/secret/path.ts');
        },
        late: () => Promise.reject(new Error('password=hunter2')),
      }),
      misdated: () => 'yesterday',
    },
    scalars: [exactJsonScalar, dateTimeScalar],
    maxBodyBytes: 100_000,
    bodyArrivesWithinMs,
    production,
    log,
  });
  return new Hono().route('/', route);
}

interface Answer {
  data: Record<string, unknown> | null;
  errors?: { message: string; extensions: { code: number; reason: string; details?: unknown } }[];
}

async function ask(body: unknown, headers: Record<string, string> = {}, production = false): Promise<Answer> {
  const response = await appOf(production).request('/test/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

const firstError = async (body: unknown, headers?: Record<string, string>, production?: boolean) =>
  (await ask(body, headers, production)).errors?.[0];

test('a refusal leaves with its sentence, its numeric code, its reason and its details', async () => {
  expect(await firstError({ query: '{ refused }' })).toMatchObject({
    message: 'It has ended',
    extensions: { code: 409, reason: 'JOB_ENDED', details: { status: 'COMPLETED' } },
  });
});

test('nothing of an unexpected error leaves, at whatever depth it happens', async () => {
  const internal = { message: 'Internal error', extensions: { code: 500, reason: 'INTERNAL' } };
  expect(await firstError({ query: '{ broken }' })).toMatchObject(internal);
  expect(await firstError({ query: '{ misdated }' })).toMatchObject(internal);
  const nested = await ask({ query: '{ nested { broken late } }' });
  expect(nested).toMatchObject({
    data: { nested: { broken: null, late: null } },
    errors: [internal, internal],
  });
  expect(JSON.stringify(nested)).not.toMatch(/secret|hunter2/);
});

test.each([
  ['{ echo(data: 1) }'],
  ['{ nested { broken late } }'],
  ['{ refused }'],
  ['{ misdated }'],
  ['query ($data: JSON!) { echo(data: $data) }', { data: [1, { price: 110.53 }] }],
  ['query ($data: JSON!) { echo(data: $data) }', {}],
  ['query ($login: Login!) { login(login: $login) }', { login: { email: 7 } }],
  ['query A { refused } query B { echo(data: 1) }'],
  ['fragment f on Nested { broken }'],
])('%s is answered the second time as it was the first time', async (query, variables = {}) => {
  const app = appOf(false);
  const body = JSON.stringify({ query, variables });
  const headers = { 'content-type': 'application/json' };
  const responses = [];
  for (let time = 0; time < 2; time += 1)
    responses.push(await app.request('/test/graphql', { method: 'POST', headers, body }));
  const [first, second] = await Promise.all(
    responses.map(async (response) => [response.status, [...response.headers], await response.text()]),
  );
  expect(second).toEqual(first);
});

test('numbers keep all of their digits or are refused, as variables and in the text of the query', async () => {
  const query = 'query ($data: JSON!) { echo(data: $data) }';
  expect((await ask({ query, variables: { data: { price: 110.53 } } })).data).toEqual({
    echo: { price: 110.53 },
  });
  const lossy = `{"query":${JSON.stringify(query)},"variables":{"data":9007199254740993}}`;
  expect(await firstError(lossy)).toMatchObject({ extensions: { code: 400, reason: 'MALFORMED_REQUEST' } });
  expect(await firstError({ query: '{ echo(data: {price: 9007199254740993}) }' })).toMatchObject({
    extensions: { code: 400 },
  });
  expect((await ask({ query: '{ echo(data: [1, {price: 110.53}, "x", null, true]) }' })).data).toEqual({
    echo: [1, { price: 110.53 }, 'x', null, true],
  });
});

test.each(['9007199254740993', '1e400', '0.10000000000000000001'])(
  'the number %s in the text of a query is refused: it would be another one',
  async (number) => {
    expect(await firstError({ query: `{ twice(of: ${number}) }` })).toMatchObject({
      message: `Expected a number whose digits a 64-bit float keeps, got ${number}.`,
      extensions: { code: 400, reason: 'MALFORMED_REQUEST' },
    });
    expect(await firstError({ query: `query ($of: Float! = ${number}) { twice(of: $of) }` })).toMatchObject({
      extensions: { code: 400, reason: 'MALFORMED_REQUEST' },
    });
  },
);

test('an ID may be written as a number of any length: it is a text', async () => {
  const ids = ['9007199254740993', '1'];
  expect((await ask({ query: `{ same(ids: [${ids}]) }` })).data).toEqual({ same: ids });
});

test.each([
  ['9007199254740991', 18_014_398_509_481_982],
  ['-0', 0],
  ['1.50', 3],
  ['1e2', 200],
])('the number %s in the text of a query is itself', async (number, doubled) => {
  expect((await ask({ query: `{ twice(of: ${number}) }` })).data).toEqual({ twice: doubled });
});

test.each([
  ['{ echo(data: ', 'MALFORMED_REQUEST'],
  ['{ nope }', 'MALFORMED_REQUEST'],
  [`{ ${Array.from({ length: 21 }, (_, n) => `a${n}: refused`).join(' ')} }`, 'QUERY_TOO_COMPLEX'],
  ['{ nested { ...a } } fragment a on Nested { ...b } fragment b on Nested { ...a }', 'MALFORMED_REQUEST'],
])('the document %s is refused before anything is executed', async (query, reason) => {
  expect(await firstError({ query })).toMatchObject({ extensions: { code: 400, reason } });
});

test.each([
  ['{bad', {}],
  ['[]', {}],
  ['"text"', {}],
  ['{"query":7}', {}],
  ['{"query":"{ refused }","variables":[]}', {}],
  ['{"query":"{ refused }"}', { 'content-type': 'text/plain' }],
])('the request %s is refused', async (body, headers) => {
  expect(await firstError(body, headers)).toMatchObject({
    extensions: { code: 400, reason: 'MALFORMED_REQUEST' },
  });
});

test('a body over the limit is refused with the limit', async () => {
  expect(await firstError({ query: `{ refused } #${'x'.repeat(200_000)}` })).toMatchObject({
    extensions: { code: 413, reason: 'TOO_LARGE', details: { maxBytes: 100_000 } },
  });
});

test('other methods are refused, and the query of the URL is no way in', async () => {
  const response = await appOf(false).request('/test/graphql?query={refused}');
  expect(((await response.json()) as Answer).errors?.[0]?.message).toBe(
    'GraphQL is served by POST /test/graphql',
  );
});

test('in production nobody is told the schema', async () => {
  expect((await ask({ query: '{ __schema { queryType { name } } }' })).data).toBeTruthy();
  expect(await firstError({ query: '{ __schema { queryType { name } } }' }, {}, true)).toMatchObject({
    extensions: { code: 400 },
  });
  expect((await firstError({ query: '{ refusedd }' }, {}, true))?.message).not.toContain('Did you mean');
});

test.each([
  [{ email: 'a@b.c', pasword: 'hunter2', password: 'hunter2' }, '"$login": Field "pasword" is not defined'],
  [{ email: 'a@b.c', password: 7_777_777 }, '"$login.password": String cannot represent a non string value'],
  [{ email: 'a@b.c', password: 'hunter2', colour: 'GREE' }, '"$login.colour": Value "GREE" does not exist'],
  [
    { email: '\u001b[31m'.repeat(1_000), password: 'hunter2', ['x'.repeat(9_000)]: 1 },
    '"$login": Field "xxx',
  ],
  [null, '"$login": Expected non-nullable type "Login!" not to be null.'],
])('a variable that is wrong is named, without its value and without hints', async (login, problem) => {
  const query = 'query ($login: Login!) { login(login: $login) }';
  const error = await firstError({ query, variables: { login } }, {}, true);
  expect(error?.extensions).toMatchObject({ code: 400, reason: 'INVALID_INPUT' });
  expect(error?.message).toContain(problem);
  expect(error?.message).not.toMatch(/hunter2|7777777|Did you mean/);
  expect(error?.message).not.toContain('\u001b');
  expect(error?.message.length).toBeLessThan(500);
});

test.each([
  ['a field again and again', `{ nested { ${'broken '.repeat(10_000)} } }`],
  ['operations again and again', `{ ${'login(login: {email: "a", password: "b"}) '.repeat(1_500)} }`],
  ['in a fragment that nobody uses', `{ refused } fragment f on Nested { ${'broken '.repeat(10_000)} }`],
  ['tokens', `{ refused(${'a: 1 '.repeat(7_000)}) }`],
  [
    'many fragments',
    `{ nested { ${'...f '.repeat(5)} } } ${Array.from({ length: 500 }, (_, n) => `fragment f${n} on Nested { broken }`).join(' ')}`,
  ],
])('a document of very many parts is refused by its size: %s', async (_what, query) => {
  expect(await firstError({ query })).toMatchObject({
    extensions: { code: 400, reason: 'QUERY_TOO_COMPLEX' },
  });
});

test('a body that trickles in is refused after a while, and its connection is closed', async () => {
  const silent = createLogger({ daemon: 'test', level: 'silent' });
  const scope = createScope(silent);
  const port = await serveHttp({ app: appOf(false, silent, 200), config, health, scope });
  for (const length of ['content-length: 1000', 'transfer-encoding: chunked']) {
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `POST /test/graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${length}\r\n\r\n`,
    );
    socket.write(length.endsWith('chunked') ? '1\r\n{\r\n' : '{');
    expect(await text(socket)).toContain('The request took longer than 0.2 s to arrive');
  }
  await scope.release();
});

test('a client that goes away in the middle of its request is no error of ours', async () => {
  const lines: string[] = [];
  const log = createLogger({ daemon: 'test', level: 'trace' }, { write: (line) => void lines.push(line) });
  const scope = createScope(createLogger({ daemon: 'test', level: 'silent' }));
  const answered = Promise.withResolvers<void>();
  const app = new Hono()
    .use(async (_c, next) => {
      await next();
      answered.resolve();
    })
    .route('/', appOf(false, log));
  const port = await serveHttp({ app, config, health, scope });
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  socket.write(
    'POST /test/graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
    () => setImmediate(() => socket.destroy()),
  );
  await answered.promise;
  expect(lines).toEqual([]);
  await scope.release();
});
