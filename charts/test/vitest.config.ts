import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Not part of `npm test`: these tests need Helm and kubernetes-validate (charts/test/fetch-tools.sh gets them).
export default defineConfig({
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['charts/test/**/*.chart.test.ts'],
    globalSetup: ['charts/test/test-global-setup.ts'],
    maxWorkers: 2,
    pool: 'forks',
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['default'],
  },
});
