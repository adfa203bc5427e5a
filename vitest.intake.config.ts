import { defineConfig } from 'vitest/config';

// `npm run test:intake`. Not part of `npm test`: these tests need a real Pulsar broker, and so Java.
export default defineConfig({
  // As in vitest.config.ts.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['**/*.pulsar.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    // One PostgreSQL and one broker for the whole run.
    globalSetup: ['compose/embedded/postgres/test-global-setup.ts', 'compose/pulsar/test-broker-setup.ts'],
    maxWorkers: 2,
    pool: 'forks',
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
    expect: { poll: { timeout: 30_000 } },
    testTimeout: 120_000,
    hookTimeout: 300_000,
    reporters: ['default'],
  },
});
