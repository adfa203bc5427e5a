import { expect, test } from 'vitest';
import { LOGIN, reasonOf, startTestAuth, TEST_PASSWORD } from '../test-auth.ts';

const auth = await startTestAuth();
const production = await startTestAuth({ environment: 'production', cookieSecure: true });

test('where HTTPS is configured the cookie is Secure', async () => {
  const { email } = await production.member();
  const { headers } = await production.post(LOGIN, { input: { email, password: TEST_PASSWORD } });
  expect(headers.getSetCookie()[0]).toMatch(/; HttpOnly; Secure; SameSite=Strict$/);
});

test('in production the schema is told to nobody: no introspection, no suggestions, no GraphiQL', async () => {
  expect(reasonOf(await production.ask('{ __schema { types { name } } }'))).toBe('MALFORMED_REQUEST');
  const misspelt = await production.ask('{ mee { id } }');
  expect(misspelt.errors?.[0]?.message).not.toMatch(/did you mean/i);
  for (const { origin } of [auth, production]) {
    const page = await fetch(`${origin}/auth/graphql`, { headers: { accept: 'text/html' } });
    expect(page.headers.get('content-type')).toMatch(/^application\/json/);
  }
  expect((await auth.ask('{ __schema { queryType { name } } }')).data.__schema.queryType.name).toBe('Query');
});

test('the public keys are served, and health and metrics, without a login', async () => {
  await auth.member();
  const jwks = (await (await fetch(`${auth.origin}/auth/.well-known/jwks.json`)).json()) as {
    keys: object[];
  };
  expect(jwks.keys).toHaveLength(1);
  expect(jwks.keys[0]).not.toHaveProperty('d');
  for (const path of ['/auth/healthcheck', '/auth/live', '/auth/ready']) {
    expect((await fetch(`${auth.origin}${path}`)).status).toBe(200);
  }
  const metrics = await (await fetch(`${auth.origin}/metrics`)).text();
  expect(metrics).toContain('jobber_auth_logins_total{outcome="succeeded",daemon="auth"}');
  expect(metrics).toContain('jobber_auth_authenticate_batch_size');
  expect(metrics).not.toContain('@example.com');
});

test('no password, token or email is in the log', async () => {
  const user = await auth.member();
  await auth.login(user.email, 'a wrong password');
  await auth.ask('mutation { logout }', {}, user.accessToken);
  const log = auth.logLines.join('');
  expect(log).toContain(user.id);
  for (const secret of [
    TEST_PASSWORD,
    'a wrong password',
    user.accessToken,
    user.refreshToken,
    '@example.com',
  ]) {
    expect(log).not.toContain(secret);
  }
});
