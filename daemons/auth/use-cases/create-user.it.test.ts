import { expect, test } from 'vitest';
import { CREATE_USER, reasonOf, startTestAuth, TEST_PASSWORD, TEST_SETUP_TOKEN } from '../test-auth.ts';

const auth = await startTestAuth();
const withoutToken = await startTestAuth({ setupToken: undefined });
const raced = await startTestAuth();
const limited = await startTestAuth({ registrationsPerHour: 3 });
const proxied = await startTestAuth({ registrationsPerHour: 1, trustedProxies: ['127.0.0.0/8', '::1/128'] });
const unlimited = await startTestAuth({ registrationsPerHour: 0 });

function createUser(on: typeof auth, email: string, setupToken?: string | null) {
  return on.ask(CREATE_USER, { input: { email, password: TEST_PASSWORD, setupToken } });
}

test('being the first on an empty platform makes nobody its administrator', async () => {
  expect((await createUser(auth, 'first@example.com')).data.createUser.roles).toEqual(['member']);
  expect((await createUser(auth, 'second@example.com', null)).data.createUser.roles).toEqual(['member']);
});

test('a wrong setup token is refused and registers nobody', async () => {
  for (const token of [
    '',
    'x',
    `${TEST_SETUP_TOKEN} `,
    TEST_SETUP_TOKEN.toUpperCase(),
    TEST_SETUP_TOKEN.slice(1),
  ]) {
    const answer = await createUser(auth, 'attacker@example.com', token);
    expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 403, reason: 'FORBIDDEN' });
  }
  const { rows } = await auth.database.pool.query("select from user_account where email like 'attacker%'");
  expect(rows).toHaveLength(0);
});

test('the setup token works once: an email that is taken does not use it up, an administrator does', async () => {
  expect(reasonOf(await createUser(auth, 'first@example.com', TEST_SETUP_TOKEN))).toBe('EMAIL_TAKEN');
  const admin = await createUser(auth, 'admin@example.com', TEST_SETUP_TOKEN);
  expect(admin.data.createUser.roles).toEqual(['admin']);
  expect(reasonOf(await createUser(auth, 'late@example.com', TEST_SETUP_TOKEN))).toBe('FORBIDDEN');
  await auth.database.pool.query("delete from user_account where email = 'admin@example.com'");
  expect(reasonOf(await createUser(auth, 'later@example.com', TEST_SETUP_TOKEN))).toBe('FORBIDDEN');
});

test('two with the setup token at once give one administrator', async () => {
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, index) => createUser(raced, `admin${index}@example.com`, TEST_SETUP_TOKEN)),
  );
  expect(answers.filter(({ data }) => data !== null)).toHaveLength(1);
  const { rows } = await raced.database.pool.query(
    "select roles from user_account where 'admin' = any (roles)",
  );
  expect(rows).toHaveLength(1);
});

test('without a setup token in the configuration none is valid, not even an empty one', async () => {
  for (const token of ['', 'undefined', TEST_SETUP_TOKEN]) {
    expect(reasonOf(await createUser(withoutToken, 'attacker@example.com', token))).toBe('FORBIDDEN');
  }
});

test('guessing the setup token is slowed', async () => {
  const outcomes: string[] = [];
  for (let guess = 0; guess < 25; guess += 1) {
    outcomes.push(reasonOf(await createUser(withoutToken, 'attacker@example.com', `guess ${guess}`)));
  }
  expect(outcomes).toContain('THROTTLED');
});

test('of several who register the same address at once one is registered', async () => {
  const answers = await Promise.all(Array.from({ length: 6 }, () => createUser(raced, 'same@example.com')));
  expect(answers.filter(({ data }) => data !== null)).toHaveLength(1);
  expect(new Set(answers.filter(({ data }) => data === null).map(reasonOf))).toEqual(
    new Set(['EMAIL_TAKEN']),
  );
});

test('an administrator made in another way uses the setup token up as well', async () => {
  const { pool } = raced.database;
  await pool.query('truncate platform_setup');
  await pool.query("update user_account set email = 'made@example.com' where 'admin' = any (roles)");
  expect(reasonOf(await createUser(raced, 'another-admin@example.com', TEST_SETUP_TOKEN))).toBe('FORBIDDEN');
});

test('so many users an hour are registered from one address, also when they come at once, and then it is told when to come back', async () => {
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, index) => createUser(limited, `one${index}@example.com`)),
  );
  expect(answers.filter(({ data }) => data !== null)).toHaveLength(3);
  const [refused] = answers.filter(({ data }) => data === null);
  expect(refused?.errors?.[0]).toMatchObject({
    message: expect.stringMatching(
      /^At most 3 users an hour can be registered from one address; try again in (59|60) minutes$/,
    ),
    extensions: { code: 429, reason: 'THROTTLED', details: { limit: 3 } },
  });
  const { pool } = limited.database;
  const count = await pool.query("select count(*)::int as n from user_account where email like 'one%'");
  expect(count.rows[0].n).toBe(3);
  // After the hour the count starts anew.
  await pool.query(`update throttle set last_failure_at = last_failure_at - interval '1 hour'
    where key like 'registered:%'`);
  expect((await createUser(limited, 'later@example.com')).data).not.toBeNull();
});

test('behind a trusted proxy each client has its own limit, and gets no other one by a header of its own', async () => {
  const register = (email: string, forwardedFor: string) =>
    proxied.post(
      CREATE_USER,
      { input: { email, password: TEST_PASSWORD } },
      { 'x-forwarded-for': forwardedFor },
    );
  const reasons: unknown[] = [];
  for (const [index, told] of [
    '198.51.100.1',
    '198.51.100.2',
    '198.51.100.1',
    '203.0.113.9, 198.51.100.1',
  ].entries()) {
    const { answer } = await register(`proxied${index}@example.com`, told);
    reasons.push(answer.errors ? reasonOf(answer) : 'registered');
  }
  expect(reasons).toEqual(['registered', 'registered', 'THROTTLED', 'THROTTLED']);
  // Who is not trusted to speak for others is one address, whatever it says.
  const { answer } = await limited.post(
    CREATE_USER,
    { input: { email: 'spoofed@example.com', password: TEST_PASSWORD } },
    { 'x-forwarded-for': '198.51.100.77' },
  );
  expect(answer.errors).toBeUndefined();
  const { rows } = await limited.database.pool.query(
    "select key from throttle where key like 'registered:%'",
  );
  expect(JSON.stringify(rows)).not.toContain('198.51.100.77');
});

test('only who is registered counts against the limit', async () => {
  const { pool } = limited.database;
  await pool.query("delete from throttle where key like 'registered:%'");
  for (let i = 0; i < 5; i += 1) {
    expect(reasonOf(await createUser(limited, 'later@example.com'))).toBe('EMAIL_TAKEN');
  }
  for (const email of ['two@example.com', 'three@example.com', 'four@example.com']) {
    expect((await createUser(limited, email)).data).not.toBeNull();
  }
  expect(reasonOf(await createUser(limited, 'five@example.com'))).toBe('THROTTLED');
});

test('a limit of 0 is none', async () => {
  await Promise.all(
    Array.from({ length: 8 }, async (_, index) => {
      expect((await createUser(unlimited, `many${index}@example.com`)).data).not.toBeNull();
    }),
  );
  const { rows } = await unlimited.database.pool.query("select from throttle where key like 'registered:%'");
  expect(rows).toHaveLength(0);
});
