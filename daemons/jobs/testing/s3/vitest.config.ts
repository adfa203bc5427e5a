import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Not part of `npm test`: these tests need a storage that speaks as S3 does, which is fetched with pip.
export default defineConfig({
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    root: fileURLToPath(new URL('../../../..', import.meta.url)),
    include: ['daemons/jobs/**/*.s3.test.ts'],
    globalSetup: [
      'compose/embedded/postgres/test-global-setup.ts',
      fileURLToPath(new URL('start-s3-server.ts', import.meta.url)),
    ],
    maxWorkers: 2,
    pool: 'forks',
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
    expect: { poll: { timeout: 30_000 } },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default'],
  },
});
