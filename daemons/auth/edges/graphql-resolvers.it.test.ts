import { expect, test } from 'vitest';
import {
  CREATE_USER,
  LOGIN,
  REFRESH,
  reasonOf,
  startTestAuth,
  TEST_PASSWORD,
  TEST_SETUP_TOKEN,
} from '../test-auth.ts';

const auth = await startTestAuth();
const ME = '{ me { id email roles createdAt } }';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

test('createUser registers a member under the normalized email', async () => {
  const answer = await auth.ask(CREATE_USER, {
    input: { email: ' Grace@Example.com ', password: TEST_PASSWORD },
  });
  expect(answer.data.createUser).toEqual({
    id: expect.stringMatching(UUID),
    email: 'grace@example.com',
    roles: ['member'],
    createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
  });
});

test('createUser refuses an email that is taken, in whatever case', async () => {
  const { email } = await auth.member();
  const answer = await auth.ask(CREATE_USER, {
    input: { email: email.toUpperCase(), password: TEST_PASSWORD },
  });
  expect(answer.errors?.[0]).toMatchObject({
    message: 'A user with this email exists already',
    extensions: { code: 409, reason: 'EMAIL_TAKEN' },
  });
});

test('createUser refuses bad input with the field and the limit, and registers nobody', async () => {
  const count = async () =>
    (await auth.database.pool.query('select count(*) from user_account')).rows[0].count;
  const before = await count();
  const bad = [
    { email: 'nobody', password: TEST_PASSWORD },
    { email: 'a\u0007b@example.com', password: TEST_PASSWORD },
    { email: 'short@example.com', password: 'seven77' },
    { email: 'long@example.com', password: 'x'.repeat(1_025) },
    { email: "x'); drop table user_account; --@example.com", password: TEST_PASSWORD },
  ];
  for (const input of bad) {
    const answer = await auth.ask(CREATE_USER, { input });
    expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 400, reason: 'INVALID_INPUT' });
    expect(JSON.stringify(answer)).not.toContain(input.password);
  }
  expect(await count()).toBe(before);
});

test.each([
  ['roles', ['admin']],
  ['role', 'admin'],
  ['id', '00000000-0000-4000-8000-000000000000'],
  ['createdAt', '2020-01-01T00:00:00Z'],
  ['__proto__x', { roles: ['admin'] }],
])('createUser takes no field %s (mass assignment)', async (field, value) => {
  const input = { email: `mass-${field}@example.com`, password: TEST_PASSWORD, [field]: value };
  expect(reasonOf(await auth.ask(CREATE_USER, { input }))).toBe('INVALID_INPUT');
  const { rows } = await auth.database.pool.query('select from user_account where email like $1', ['mass-%']);
  expect(rows).toHaveLength(0);
});

test('login answers with tokens and sets the cookie, and both are accepted', async () => {
  const { email, id } = await auth.member();
  const { answer, headers } = await auth.post(LOGIN, { input: { email, password: TEST_PASSWORD } });
  const { accessToken, refreshToken, expiresAt, ...rest } = answer.data.login;
  expect(rest).toEqual({ id, email });
  expect(refreshToken).toMatch(/^[\w-]{43}$/);
  const lifeMs = Date.parse(expiresAt) - Date.now();
  expect(lifeMs).toBeGreaterThan(890_000);
  expect(lifeMs).toBeLessThanOrEqual(900_000);
  expect(headers.getSetCookie()).toEqual([
    `Authentication=${accessToken}; Max-Age=900; Path=/; HttpOnly; SameSite=Strict`,
  ]);
  expect(headers.get('cache-control')).toBe('no-store');

  const byHeader = await auth.ask(ME, {}, accessToken);
  expect(byHeader.data.me).toMatchObject({ id, email, roles: ['member'] });
  const byCookie = await auth.post(ME, {}, { cookie: `Authentication=${accessToken}` });
  expect(byCookie.answer.data.me.id).toBe(id);
});

test('a wrong password and an unknown email are refused in the same words, without a cookie', async () => {
  const { email } = await auth.member();
  const answers = await Promise.all(
    [
      { email, password: 'wrong password' },
      { email: 'nobody@example.com', password: 'wrong password' },
      { email: 'not an address', password: 'wrong password' },
      { email, password: '' },
      { email, password: 'x'.repeat(5_000) },
    ].map((input) => auth.post(LOGIN, { input })),
  );
  for (const { answer, headers, status } of answers) {
    expect(status).toBe(200);
    expect(answer.data).toBeNull();
    expect(answer.errors?.[0]).toMatchObject({
      message: 'Credentials are invalid',
      extensions: { code: 401, reason: 'CREDENTIALS_INVALID' },
    });
    expect(headers.getSetCookie()).toEqual([]);
  }
});

test('NUL, which PostgreSQL can not store, is an ordinary refusal', async () => {
  const inJson = await auth.ask(LOGIN, { input: { email: 'nul\0@example.com', password: TEST_PASSWORD } });
  expect(reasonOf(inJson)).toBe('MALFORMED_REQUEST');
  const credentials = '{ email: "nul\\u0000@example.com", password: "nul\\u0000 password" }';
  const login = await auth.ask(`mutation { login(loginInput: ${credentials}) { id } }`);
  expect(reasonOf(login)).toBe('CREDENTIALS_INVALID');
  const create = await auth.ask(`mutation { createUser(createUserInput: ${credentials}) { id } }`);
  expect(reasonOf(create)).toBe('INVALID_INPUT');
  const refresh = await auth.ask('mutation { refresh(refreshToken: "\\u0000") { id } }');
  expect(reasonOf(refresh)).toBe('TOKEN_INVALID');
});

test('operators and objects in place of text are refused before anything is asked', async () => {
  for (const email of [{ $ne: null }, ['a@example.com'], 7, true, null]) {
    expect(reasonOf(await auth.ask(LOGIN, { input: { email, password: TEST_PASSWORD } }))).toBe(
      'INVALID_INPUT',
    );
  }
});

test('me refuses a request without a token, with a wrong one, and with a refresh token', async () => {
  const { refreshToken } = await auth.member();
  for (const token of [undefined, 'nonsense', refreshToken, 'null']) {
    const answer = await auth.ask(ME, {}, token);
    expect(answer.errors?.[0]).toMatchObject({
      message: 'Unauthorized',
      extensions: { code: 401, reason: 'UNAUTHENTICATED' },
    });
  }
});

test('a token is not accepted in the URL', async () => {
  const { accessToken } = await auth.member();
  const response = await fetch(
    `${auth.origin}/auth/graphql?access_token=${accessToken}&Authentication=${accessToken}`,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: ME }),
    },
  );
  expect(reasonOf((await response.json()) as never)).toBe('UNAUTHENTICATED');
});

test("another site's page can't use a browser's cookie, nor send a form", async () => {
  const { accessToken } = await auth.member();
  const cookie = `Authentication=${accessToken}`;
  const crossSite: Record<string, string>[] = [
    { origin: 'https://attacker.example' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'null' },
  ];
  for (const headers of crossSite) {
    const { answer } = await auth.post('mutation { logout }', {}, { cookie, ...headers });
    expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 403, reason: 'CROSS_SITE' });
  }
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    const { answer } = await auth.post('mutation { logout }', {}, { cookie, 'content-type': type });
    expect(reasonOf(answer)).toBe('MALFORMED_REQUEST');
  }
  const byGet = await fetch(
    `${auth.origin}/auth/graphql?query=${encodeURIComponent('mutation { logout }')}`,
    {
      headers: { cookie },
    },
  );
  expect(reasonOf((await byGet.json()) as never)).toBe('MALFORMED_REQUEST');
  expect((await auth.ask(ME, {}, accessToken)).data.me).toBeDefined();
});

test('logout ends the session at once, for both tokens, and clears the cookie; other sessions live on', async () => {
  const user = await auth.member();
  const other = (await auth.login(user.email)).data.login;
  const { answer, headers } = await auth.post(
    'mutation { logout }',
    {},
    { authorization: `Bearer ${user.accessToken}` },
  );
  expect(answer.data.logout).toBe(true);
  expect(headers.getSetCookie()[0]).toMatch(
    /^Authentication=; Max-Age=0; Path=\/; HttpOnly; SameSite=Strict$/,
  );

  expect(reasonOf(await auth.ask(ME, {}, user.accessToken))).toBe('UNAUTHENTICATED');
  expect(reasonOf(await auth.ask(REFRESH, { token: user.refreshToken }))).toBe('TOKEN_INVALID');
  expect(reasonOf(await auth.ask('mutation { logout }', {}, user.accessToken))).toBe('UNAUTHENTICATED');
  expect((await auth.ask(ME, {}, other.accessToken)).data.me.id).toBe(user.id);
});

test('the tokens of a deactivated and of a deleted user are refused, and they can log in no more', async () => {
  const deactivated = await auth.member();
  const deleted = await auth.member();
  await auth.database.pool.query('update user_account set deactivated_at = now() where id = $1', [
    deactivated.id,
  ]);
  await auth.database.pool.query('delete from user_account where id = $1', [deleted.id]);
  for (const user of [deactivated, deleted]) {
    expect(reasonOf(await auth.ask(ME, {}, user.accessToken))).toBe('UNAUTHENTICATED');
    expect(reasonOf(await auth.ask(REFRESH, { token: user.refreshToken }))).toBe('TOKEN_INVALID');
    expect(reasonOf(await auth.login(user.email))).toBe('CREDENTIALS_INVALID');
  }
});

test('users is for administrators, in pages, newest first', async () => {
  const member = await auth.member();
  const forbidden = await auth.ask('{ users { id } }', {}, member.accessToken);
  expect(forbidden.errors?.[0]?.extensions).toMatchObject({ code: 403, reason: 'FORBIDDEN' });
  expect(reasonOf(await auth.ask('{ users { id } }'))).toBe('UNAUTHENTICATED');

  const created = await auth.ask(CREATE_USER, {
    input: { email: 'admin@example.com', password: TEST_PASSWORD, setupToken: TEST_SETUP_TOKEN },
  });
  expect(created.data.createUser.roles).toEqual(['admin']);
  const admin = (await auth.login('admin@example.com')).data.login;
  // Several made in the same millisecond: the order is still one.
  await auth.database.pool.query("update user_account set created_at = date_trunc('second', created_at)");

  const whole = (await auth.ask('{ users(limit: 200) { id email roles createdAt } }', {}, admin.accessToken))
    .data.users;
  const paged: string[] = [];
  for (let before: string | undefined; ; before = paged.at(-1)) {
    const query = 'query ($before: ID) { users(limit: 2, before: $before) { id } }';
    const page = (await auth.ask(query, { before }, admin.accessToken)).data.users as { id: string }[];
    if (page.length === 0) break;
    paged.push(...page.map(({ id }) => id));
  }
  expect(paged).toEqual(whole.map(({ id }: { id: string }) => id));
  expect(new Set(paged).size).toBe(paged.length);
  const times = whole.map(({ createdAt }: { createdAt: string }) => createdAt);
  expect(times).toEqual([...times].sort().reverse());

  for (const args of ['limit: 0', 'limit: -1', 'limit: 201', 'before: "x"', `before: "${'0'.repeat(400)}"`]) {
    expect(reasonOf(await auth.ask(`{ users(${args}) { id } }`, {}, admin.accessToken))).toBe(
      'INVALID_INPUT',
    );
  }
});

test('a changed role holds with the next request', async () => {
  const user = await auth.member();
  await auth.database.pool.query("update user_account set roles = '{admin}' where id = $1", [user.id]);
  expect((await auth.ask('{ users(limit: 1) { id } }', {}, user.accessToken)).data.users).toHaveLength(1);
  await auth.database.pool.query("update user_account set roles = '{viewer}' where id = $1", [user.id]);
  expect(reasonOf(await auth.ask('{ users(limit: 1) { id } }', {}, user.accessToken))).toBe('FORBIDDEN');
});
