import { expect, test } from 'vitest';
import { CREATE_USER, LOGIN, reasonOf, startTestAuth, TEST_PASSWORD } from '../test-auth.ts';
import { addressLoginKey, loginKey, registrationKey } from '../throttles/throttle-keys.ts';
import { buildLogIn } from './log-in.ts';

const auth = await startTestAuth();
const { pool } = auth.database;
const WRONG = 'a wrong password';

/** As if the delays were over, without waiting for them. */
async function letDelaysPass(): Promise<void> {
  await pool.query('update throttle set blocked_until = now()');
}

/** In seconds, from the last failure on. */
async function delayOf(email: string): Promise<number> {
  const { rows } = await pool.query(
    'select round(extract(epoch from blocked_until - last_failure_at))::int as delay from throttle where key = $1',
    [loginKey(email, undefined)],
  );
  return rows[0].delay;
}

/** Whoever has to wait, waits for a minute: a slow machine does not outlast the delay, nor has it done so by now. */
async function prolongDelays(): Promise<void> {
  await pool.query(
    `update throttle set blocked_until = now() + interval '1 minute'
     where blocked_until > last_failure_at + interval '0.5 s'`,
  );
}

async function forgetAll(): Promise<void> {
  await pool.query('delete from throttle');
}

/** Registers someone who has never logged in: no address is known for them. */
async function newcomer(): Promise<string> {
  const { email } = await auth.member();
  await pool.query('delete from session where user_id = (select id from user_account where email = $1)', [
    email,
  ]);
  return email;
}

/** The passwords that `logInFrom` has had compared. */
const verified: (string | undefined)[] = [];

/** Logs in as if from elsewhere, past HTTP, which knows only this machine. */
function logInFrom(address: string, email: string, password: string): Promise<string> {
  const logIn = buildLogIn({
    database: auth.database,
    hasher: {
      hash: async () => '',
      verify: async (stored, bytes) => {
        verified.push(bytes?.toString());
        return stored !== undefined && bytes?.toString() === TEST_PASSWORD;
      },
    },
    signAccessToken: async () => ({ token: 'token', expiresAt: new Date() }),
    refreshTokenTtlDays: 30,
    log: auth.log,
  });
  return logIn({ email, password, address }).then(
    () => 'logged in',
    (error) => error.reason,
  );
}

test('after five wrong passwords each further one has to wait, up to 30 seconds, and the answer says how long', async () => {
  const email = await newcomer();
  for (let guess = 1; guess <= 6; guess += 1) {
    expect(reasonOf(await auth.login(email, WRONG))).toBe('CREDENTIALS_INVALID');
  }
  const delays = [await delayOf(email)];
  for (let guess = 0; guess < 7; guess += 1) {
    await letDelaysPass();
    expect(reasonOf(await auth.login(email, WRONG))).toBe('CREDENTIALS_INVALID');
    delays.push(await delayOf(email));
  }
  expect(delays).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);

  const refused = await auth.login(email, WRONG);
  expect(refused.errors?.[0]).toMatchObject({
    message: expect.stringMatching(/^Too many failed attempts; try again in \d+ seconds$/),
    extensions: { code: 429, reason: 'THROTTLED', details: { retryAfterSeconds: expect.any(Number) } },
  });
  await forgetAll();
});

test('while it is blocked even the right password waits; afterwards it is let in and the count starts anew', async () => {
  const email = await newcomer();
  for (let guess = 1; guess <= 6; guess += 1) await auth.login(email, WRONG);
  await prolongDelays();
  expect(reasonOf(await auth.login(email))).toBe('THROTTLED');
  await letDelaysPass();
  expect((await auth.login(email)).data.login.email).toBe(email);
  const { rows } = await pool.query('select from throttle where key like $1', [
    `${loginKey(email, undefined)}%`,
  ]);
  expect(rows).toHaveLength(0);
  await forgetAll();
});

test('accounts that do not exist are throttled in the same way', async () => {
  const outcomes: string[] = [];
  for (let guess = 1; guess <= 6; guess += 1)
    outcomes.push(reasonOf(await auth.login('nobody@example.com', WRONG)));
  await prolongDelays();
  outcomes.push(reasonOf(await auth.login('nobody@example.com', WRONG)));
  expect(outcomes).toEqual([...Array<string>(6).fill('CREDENTIALS_INVALID'), 'THROTTLED']);
  await forgetAll();
});

test('guessing one account from many addresses is slowed as from one', async () => {
  const email = await newcomer();
  const outcomes: string[] = [];
  for (let index = 0; index < 30; index += 1) {
    outcomes.push(await logInFrom(`192.0.2.${index}`, email, WRONG));
    await prolongDelays();
  }
  expect(outcomes.filter((outcome) => outcome === 'CREDENTIALS_INVALID').length).toBeLessThanOrEqual(8);
  await forgetAll();
});

test('guesses that arrive at once are counted one by one, also at several replicas', async () => {
  const email = await newcomer();
  const outcomes = await Promise.all(
    Array.from({ length: 30 }, (_, index) => logInFrom(`198.51.100.${index}`, email, WRONG)),
  );
  expect(outcomes.filter((outcome) => outcome === 'CREDENTIALS_INVALID').length).toBeLessThanOrEqual(8);
  await forgetAll();
});

test('however hard others guess, the owner gets in from where they have logged in before', async () => {
  const email = await newcomer();
  expect(await logInFrom('203.0.113.5', email, TEST_PASSWORD)).toBe('logged in');
  for (let index = 0; index < 20; index += 1) await logInFrom(`192.0.2.${index}`, email, WRONG);
  await prolongDelays();
  expect(await logInFrom('192.0.2.99', email, TEST_PASSWORD)).toBe('THROTTLED');
  expect(await logInFrom('203.0.113.5', email, TEST_PASSWORD)).toBe('logged in');
  await forgetAll();
});

test('guessing many accounts from one address is slowed, and those known there are not held up', async () => {
  const known = await newcomer();
  expect(await logInFrom('203.0.113.9', known, TEST_PASSWORD)).toBe('logged in');
  const outcomes: string[] = [];
  for (let index = 0; index < 60; index += 1) {
    outcomes.push(await logInFrom('203.0.113.9', `u${index}@x.org`, WRONG));
    await prolongDelays();
  }
  expect(outcomes.filter((outcome) => outcome === 'CREDENTIALS_INVALID').length).toBeLessThanOrEqual(54);
  expect(await logInFrom('203.0.113.9', known, TEST_PASSWORD)).toBe('logged in');
  expect(await logInFrom('203.0.113.10', 'u0@x.org', WRONG)).toBe('CREDENTIALS_INVALID');
  await forgetAll();
});

test('each login of an aliased document counts, and a document with 50 of them is refused unread', async () => {
  const email = await newcomer();
  const logins = (count: number) => {
    const fields = Array.from(
      { length: count },
      (_, index) =>
        `l${index}: login(loginInput: { email: "${email}", password: "guess ${index} x" }) { id }`,
    );
    return `mutation { ${fields.join(' ')} }`;
  };
  expect(reasonOf(await auth.ask(logins(50)))).toBe('QUERY_TOO_COMPLEX');
  const { rows } = await pool.query('select from throttle where key = $1', [loginKey(email, undefined)]);
  expect(rows).toHaveLength(0);

  // `login` is never null, so a document ends with its first refusal: one guess a document, and it counts.
  for (let document = 1; document <= 3; document += 1) {
    expect(reasonOf(await auth.ask(logins(10)))).toBe('CREDENTIALS_INVALID');
    const counted = await pool.query('select failures from throttle where key = $1', [
      loginKey(email, undefined),
    ]);
    expect(counted.rows).toEqual([{ failures: document }]);
  }
  await forgetAll();
});

test('several logins in one HTTP request are no way around: a batch is refused', async () => {
  const response = await fetch(`${auth.origin}/auth/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([
      { query: LOGIN, variables: { input: { email: 'a@x.org', password: WRONG } } },
      { query: LOGIN, variables: { input: { email: 'a@x.org', password: WRONG } } },
    ]),
  });
  expect(reasonOf((await response.json()) as never)).toBe('MALFORMED_REQUEST');
});

test('right passwords that arrive together are not mistaken for guessing', async () => {
  const email = await newcomer();
  const answers = await Promise.all(Array.from({ length: 20 }, () => auth.login(email)));
  expect(answers.map((answer) => answer.data?.login.email)).toEqual(Array<string>(20).fill(email));
});

test('failures are forgotten after an hour without another', async () => {
  const email = await newcomer();
  for (let guess = 1; guess <= 6; guess += 1) await auth.login(email, WRONG);
  await letDelaysPass();
  await pool.query("update throttle set last_failure_at = now() - interval '61 minutes'");
  await auth.login(email, WRONG);
  const { rows } = await pool.query('select failures from throttle where key = $1', [
    loginKey(email, undefined),
  ]);
  expect(rows).toEqual([{ failures: 1 }]);
  await forgetAll();
});

test('an unknown email takes the work of a known one: a password is hashed once', async () => {
  for (const email of [await newcomer(), 'nobody@example.com']) {
    await forgetAll();
    const before = verified.length;
    expect(await logInFrom('192.0.2.7', email, WRONG)).toBe('CREDENTIALS_INVALID');
    expect(verified.slice(before)).toEqual([WRONG]);
  }
});

test('asking which addresses are taken is slowed', async () => {
  const { email } = await auth.member();
  const outcomes: string[] = [];
  for (let index = 0; index < 25; index += 1) {
    outcomes.push(reasonOf(await auth.ask(CREATE_USER, { input: { email, password: TEST_PASSWORD } })));
  }
  expect(outcomes).toContain('THROTTLED');
  expect(outcomes.filter((outcome) => outcome === 'EMAIL_TAKEN').length).toBeLessThan(25);
  await forgetAll();
});

test('the throttle keeps neither emails nor what was typed in their place', async () => {
  await auth.login('Secret typed in the wrong field', WRONG);
  await auth.login('someone@example.com', WRONG);
  const { rows } = await pool.query<{ key: string }>('select key from throttle');
  expect(rows.length).toBeGreaterThan(2);
  for (const { key } of rows) expect(key).not.toMatch(/secret|someone/i);
  expect(addressLoginKey('127.0.0.1')).not.toBe(registrationKey('127.0.0.1'));
  await forgetAll();
});
