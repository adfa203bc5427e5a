import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError } from '@jobber/shared/config';
import { expect, test } from 'vitest';
import { loadAuthConfig } from './config.ts';

const SECRET = '5c1f0b7e9a4d4c2e8f3a6b1d7e9c0a42';
const MINIMAL = { AUTH_DATABASE_URL: 'postgresql://auth:pw@localhost/auth', SERVICE_SECRET: SECRET };

function problemsOf(environment: Record<string, string>): string {
  try {
    loadAuthConfig(environment);
    return '';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
}

test('two variables are enough, and the rest has defaults that suit production', () => {
  expect(loadAuthConfig(MINIMAL)).toMatchObject({
    host: '127.0.0.1',
    port: 3000,
    grpcPort: 5000,
    issuer: 'jobber',
    accessTokenTtlSeconds: 900,
    refreshTokenTtlDays: 30,
    cookieSecure: false,
    registrationsPerHour: 100,
    trustedProxies: [],
    setupToken: undefined,
    environment: 'production',
    warnings: [],
  });
});

test('all problems are named at once, and no secret is shown', () => {
  const message = problemsOf({
    AUTH_PORT: 'abc',
    AUTH_GRPC_PORT: '70000',
    AUTH_DATABASE_URL: 'http://auth:hunter2@localhost/auth',
    AUTH_ACCESS_TOKEN_TTL_SECONDS: '0',
    AUTH_REFRESH_TOKEN_TTL_DAYS: '366',
    AUTH_COOKIE_SECURE: 'yes',
    AUTH_SETUP_TOKEN: 'hunter2',
    NODE_ENV: 'prod',
  });
  const named = message.split('\n').map((line) => line.split(' ')[0]);
  expect(named.sort()).toEqual([
    'AUTH_ACCESS_TOKEN_TTL_SECONDS',
    'AUTH_COOKIE_SECURE',
    'AUTH_DATABASE_URL',
    'AUTH_GRPC_PORT',
    'AUTH_PORT',
    'AUTH_REFRESH_TOKEN_TTL_DAYS',
    'AUTH_SETUP_TOKEN',
    'NODE_ENV',
    'SERVICE_SECRET',
  ]);
  expect(message).not.toContain('hunter2');
});

test('.env.example is a whole configuration in development, and is refused in production', () => {
  const example = parseEnv(readFileSync(new URL('./.env.example', import.meta.url), 'utf8')) as Record<
    string,
    string
  >;
  const config = loadAuthConfig(example);
  expect(config.warnings).toHaveLength(2);
  const message = problemsOf({ ...example, NODE_ENV: 'production' });
  expect(message).toContain('SERVICE_SECRET is a published example');
  expect(message).toContain('AUTH_SETUP_TOKEN is a published example');
});

test('trusted proxies are ranges of addresses, and nothing else', () => {
  const ranges = (value: string) => ({ ...MINIMAL, AUTH_TRUSTED_PROXIES: value });
  expect(loadAuthConfig(ranges('10.0.0.0/8, fd00::/8')).trustedProxies).toEqual(['10.0.0.0/8', 'fd00::/8']);
  for (const value of ['10.0.0.1', '10.0.0.0/33', 'proxy.example.com', '10.0.0.0/8,', '*', '10.0.0.0/8/8']) {
    expect(problemsOf(ranges(value))).toMatch(/^AUTH_TRUSTED_PROXIES must be ranges of addresses such as/);
  }
});
