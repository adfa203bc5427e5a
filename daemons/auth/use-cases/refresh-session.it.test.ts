import { expect, test } from 'vitest';
import { type Answer, REFRESH, reasonOf, startTestAuth } from '../test-auth.ts';
import { buildRefreshSession } from './refresh-session.ts';

const auth = await startTestAuth();
const ME = '{ me { id } }';

function refresh(token: string): Promise<Answer> {
  return auth.ask(REFRESH, { token });
}

function replica() {
  return buildRefreshSession({
    database: auth.database,
    signAccessToken: async () => ({ token: 'token', expiresAt: new Date() }),
    refreshTokenTtlDays: 30,
    untilForgotten: async () => {},
    log: auth.log,
  });
}

test('a refresh token is exchanged for new tokens of the same session', async () => {
  const user = await auth.member();
  const { answer, headers } = await auth.post(REFRESH, { token: user.refreshToken });
  const { accessToken, refreshToken, ...rest } = answer.data.refresh;
  expect(rest).toMatchObject({ id: user.id, email: user.email });
  expect(refreshToken).not.toBe(user.refreshToken);
  expect(headers.getSetCookie()[0]).toContain(`Authentication=${accessToken}; Max-Age=900;`);
  expect((await auth.ask(ME, {}, accessToken)).data.me.id).toBe(user.id);
  expect((await auth.ask(ME, {}, user.accessToken)).data.me.id).toBe(user.id);
  expect((await refresh(refreshToken)).data.refresh.id).toBe(user.id);
});

test('a second use ends the whole family: every token that came of the login is refused', async () => {
  const user = await auth.member();
  const thief = (await refresh(user.refreshToken)).data.refresh;
  const later = (await refresh(thief.refreshToken)).data.refresh;

  expect(reasonOf(await refresh(user.refreshToken))).toBe('TOKEN_INVALID');
  expect(reasonOf(await refresh(later.refreshToken))).toBe('TOKEN_INVALID');
  for (const { accessToken } of [user, thief, later]) {
    expect(reasonOf(await auth.ask(ME, {}, accessToken))).toBe('UNAUTHENTICATED');
  }
  const { rows } = await auth.database.pool.query('select ended_because from session where user_id = $1', [
    user.id,
  ]);
  expect(rows).toEqual([{ ended_because: 'refresh token reused' }]);
  expect(auth.logLines.some((line) => line.includes('used twice') && line.includes(user.id))).toBe(true);
});

test('of 20 parallel refreshes over HTTP exactly one wins', async () => {
  const user = await auth.member();
  const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(user.refreshToken)));
  expect(answers.filter(({ data }) => data !== null)).toHaveLength(1);
  const refused = answers.filter(({ data }) => data === null);
  expect(new Set(refused.map(reasonOf))).toEqual(new Set(['TOKEN_INVALID']));
});

test('requests of one client that overlap lose without ending its session', async () => {
  const user = await auth.member();
  const refreshSession = replica();
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () => refreshSession(user.refreshToken)),
  );
  const won = results.filter((result) => result.status === 'fulfilled');
  expect(won).toHaveLength(1);
  expect((await auth.ask(ME, {}, user.accessToken)).data.me.id).toBe(user.id);
  expect((await refresh(won[0]!.value.refreshToken)).data.refresh.id).toBe(user.id);
});

test('of parallel refreshes at several replicas exactly one wins', async () => {
  const user = await auth.member();
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => replica()(user.refreshToken)));
  expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
});

test('an expired refresh token is refused, and an unused session ends with it', async () => {
  const user = await auth.member();
  await auth.database.pool.query(
    `with expired as (update session set expires_at = now() where user_id = $1 returning id)
     update refresh_token set expires_at = now() from expired where session_id = expired.id`,
    [user.id],
  );
  expect(reasonOf(await refresh(user.refreshToken))).toBe('TOKEN_INVALID');
  expect(reasonOf(await auth.ask(ME, {}, user.accessToken))).toBe('UNAUTHENTICATED');
});

test('what is no refresh token is refused and ends nothing: an access token, a changed one, nonsense', async () => {
  const user = await auth.member();
  const { refreshToken, accessToken } = user;
  const wrong = [
    accessToken,
    `${refreshToken}=`,
    ` ${refreshToken}`,
    refreshToken.slice(0, -1),
    '',
    "' or 1=1 --",
  ];
  for (const token of wrong) expect(reasonOf(await refresh(token))).toBe('TOKEN_INVALID');
  expect((await refresh(refreshToken)).data.refresh.id).toBe(user.id);
});

test('the database holds no refresh token, only hashes', async () => {
  const { refreshToken } = await auth.member();
  const { rows } = await auth.database.pool.query(
    "select string_agg(encode(hash, 'escape'), ' ') as all from refresh_token",
  );
  expect(rows[0].all).not.toContain(refreshToken);
});
