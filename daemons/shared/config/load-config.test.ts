import { expect, test } from 'vitest';
import {
  ConfigError,
  integer,
  loadConfig,
  loadDaemonConfig,
  port,
  postgresUrl,
  publishedSecret,
  secret,
  setting,
} from './index.ts';
import { developmentWarnings } from './load-config.ts';

const SETTINGS = {
  port: setting('X_PORT', port(3000)),
  ttl: setting('X_TTL', integer(10, { min: 1, max: 20 })),
  url: setting('X_URL', postgresUrl(), { secret: true }),
  key: setting('X_KEY', secret(), { secret: true, toleratedInDevelopment: publishedSecret() }),
};
const STRONG = '0f4a8c1d9e7b36251a2b3c4d5e6f7081';
const PUBLISHED = 'development-only-change-me-before-anyone-else-uses-it';

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConfig(SETTINGS, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test('every problem is reported at once, by the name of its variable, and secrets are not shown', () => {
  const problems = problemsOf({
    X_PORT: '70000',
    X_TTL: 'abc',
    X_URL: 'mysql://me:hunter2@host/db',
    X_KEY: 'short-hunter2',
  });
  expect(problems).toEqual([
    'X_PORT must be a port from 0 to 65535; got "70000"',
    'X_TTL must be a whole number from 1 to 20; got "abc"',
    'X_URL must be a URL such as postgresql://user:password@host:5432/database; its value is not shown',
    'X_KEY must have at least 32 characters; its value is not shown',
  ]);
});

test('an empty variable counts as absent', () => {
  const config = loadConfig(SETTINGS, { X_PORT: '', X_URL: 'postgres://h/d', X_KEY: STRONG });
  expect(config.port).toBe(3000);
});

test('a published secret is refused outside development, and tolerated with a warning in it', () => {
  const environment = { X_URL: 'postgres://h/d', X_KEY: PUBLISHED };
  const refused =
    'X_KEY is a published example; make one with `openssl rand -hex 32`; its value is not shown';
  expect(problemsOf(environment)).toEqual([refused]);
  expect(problemsOf({ ...environment, NODE_ENV: 'production' })).toEqual([refused]);
  expect(problemsOf({ ...environment, NODE_ENV: 'test' })).toEqual([refused]);

  const development = { ...environment, NODE_ENV: 'development' };
  expect(loadConfig(SETTINGS, development).key).toBe(PUBLISHED);
  expect(developmentWarnings(SETTINGS, development)).toEqual([
    'X_KEY is a published example; make one with `openssl rand -hex 32`; tolerated because NODE_ENV=development',
  ]);
  expect(developmentWarnings(SETTINGS, { ...development, X_KEY: STRONG })).toEqual([]);
});

test('a short secret is refused in development too, and the common secret follows the same rule', () => {
  expect(problemsOf({ X_URL: 'postgres://h/d', X_KEY: 'short', NODE_ENV: 'development' })).toHaveLength(1);
  expect(() => loadDaemonConfig({}, { SERVICE_SECRET: PUBLISHED })).toThrow('published example');
  const config = loadDaemonConfig({}, { SERVICE_SECRET: PUBLISHED, NODE_ENV: 'development' });
  expect(config.serviceSecret).toBe(PUBLISHED);
});

test('problems of the certificates are told together with all others', () => {
  const environment = { GRPC_TLS_CA_FILE: '/no/such/file', X_PORT: 'abc' };
  expect(() => loadDaemonConfig(SETTINGS, environment)).toThrow(
    expect.objectContaining({
      problems: expect.arrayContaining([
        expect.stringContaining('X_PORT'),
        expect.stringContaining('SERVICE_SECRET'),
        'GRPC_TLS_CA_FILE must name a readable file; got ENOENT',
        'GRPC_TLS_CERT_FILE must be set when another GRPC_TLS_ variable is',
        'GRPC_TLS_KEY_FILE must be set when another GRPC_TLS_ variable is',
      ]),
    }),
  );
});
