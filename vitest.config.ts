import { defineConfig } from 'vitest/config';

// Tests with a configuration of their own: faults/vitest.config.ts, vitest.intake.config.ts for those that need a broker,
// daemons/jobs/testing/s3/vitest.config.ts for those that need a bucket, examples/python-worker/testing/vitest.config.ts.
const outside = [
  '**/node_modules/**',
  '**/dist/**',
  '**/*.fault.test.ts',
  '**/*.pulsar.test.ts',
  '**/*.chart.test.ts',
  '**/*.s3.test.ts',
  '**/*.python.test.ts',
];

export default defineConfig({
  // Vite would take graphql's index.mjs and Node takes index.js: two copies that refuse each other's schemas.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    // Two at a time: integration files start servers of their own, and a laptop has other things to do.
    maxWorkers: 2,
    pool: 'forks',
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
    // What is waited for takes as long as the machine is busy; one second, the default, is a timed test.
    expect: { poll: { timeout: 30_000 } },
    reporters: ['default'],
    // The CLI words its hints by it; tests say the same whoever runs them.
    env: { npm_command: 'test' },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [...outside, '**/*.it.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['**/*.it.test.ts'],
          exclude: outside,
          // One throwaway PostgreSQL for the whole run; each file gets databases of its own there.
          globalSetup: ['compose/embedded/postgres/test-global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
