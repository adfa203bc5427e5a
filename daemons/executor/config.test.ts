import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { expect, test } from 'vitest';
import { loadExecutorConfig } from './config.ts';

const SERVICE_SECRET = 'a-secret-for-tests-only-0123456789abcdef';

test('what is not set has its default', () => {
  expect(loadExecutorConfig({ SERVICE_SECRET })).toMatchObject({
    host: '127.0.0.1',
    port: 3002,
    jobsGrpcUrl: 'localhost:5002',
    productsGrpcUrl: 'localhost:5001',
    threadMemoryMb: 256,
    maxTasks: 512,
    jobTypes: '',
  });
});

test('all problems are reported at once, and no secret is shown', () => {
  const environment = {
    SERVICE_SECRET: 'too short',
    EXECUTOR_PORT: '70000',
    JOBS_GRPC_URL: 'http://jobs',
    EXECUTOR_THREADS: '0',
  };
  expect(() => loadExecutorConfig(environment)).toThrow(
    expect.objectContaining({
      problems: [
        'SERVICE_SECRET must have at least 32 characters; its value is not shown',
        'EXECUTOR_PORT must be a port from 0 to 65535; got "70000"',
        'JOBS_GRPC_URL must be an address such as localhost:5000; got "http://jobs"',
        'EXECUTOR_THREADS must be a whole number from 1 to 256; got "0"',
      ],
    }),
  );
});

test('handlers see the environment without its secrets', () => {
  const { publicEnvironment } = loadExecutorConfig({ SERVICE_SECRET, OF_MY_OWN: 'kept' });
  expect(publicEnvironment).toEqual({ OF_MY_OWN: 'kept' });
});

test('.env.example is a configuration that is accepted, with a warning for its published secret', () => {
  const example = parseEnv(readFileSync(new URL('.env.example', import.meta.url), 'utf8'));
  const { warnings } = loadExecutorConfig(example);
  expect(warnings).toEqual([expect.stringContaining('SERVICE_SECRET')]);
});
