import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError } from '@jobber/shared/config';
import { expect, test } from 'vitest';
import { loadProductsConfig } from './config.ts';

const SECRET = '5c1f0b7e9a4d4c2e8f3a6b1d7e9c0a42';
const MINIMAL = {
  PRODUCTS_DATABASE_URL: 'postgresql://products:pw@localhost/products',
  SERVICE_SECRET: SECRET,
};

function problemsOf(environment: Record<string, string>): string {
  try {
    loadProductsConfig(environment);
    return '';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
}

test('two variables are enough, and the rest has defaults that suit production', () => {
  expect(loadProductsConfig(MINIMAL)).toMatchObject({
    host: '127.0.0.1',
    port: 3003,
    grpcPort: 5001,
    authGrpcUrl: 'localhost:5000',
    environment: 'production',
    tls: undefined,
    warnings: [],
  });
});

test('all problems are named at once, and no secret is shown', () => {
  const message = problemsOf({
    PRODUCTS_PORT: 'abc',
    PRODUCTS_GRPC_PORT: '70000',
    PRODUCTS_DATABASE_URL: 'http://products:hunter2@localhost/products',
    AUTH_GRPC_URL: 'http://localhost:5000',
    SERVICE_SECRET: 'hunter2',
    NODE_ENV: 'prod',
  });
  const named = message.split('\n').map((line) => line.split(' ')[0]);
  expect(named.sort()).toEqual([
    'AUTH_GRPC_URL',
    'NODE_ENV',
    'PRODUCTS_DATABASE_URL',
    'PRODUCTS_GRPC_PORT',
    'PRODUCTS_PORT',
    'SERVICE_SECRET',
  ]);
  expect(message).not.toContain('hunter2');
});

test('.env.example is a whole configuration in development, and is refused in production', () => {
  const example = parseEnv(readFileSync(new URL('./.env.example', import.meta.url), 'utf8')) as Record<
    string,
    string
  >;
  const config = loadProductsConfig(example);
  expect(config).toMatchObject({ port: 3003, grpcPort: 5001, environment: 'development', tls: undefined });
  expect(config.warnings).toHaveLength(1);
  expect(problemsOf({ ...example, NODE_ENV: 'production' })).toContain(
    'SERVICE_SECRET is a published example',
  );
});
