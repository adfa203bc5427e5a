import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Not part of `npm test`: these tests need Python, packages that pip fetches, and, for half of them, Java.
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../../..', import.meta.url)),
    include: ['examples/**/*.python.test.ts'],
    globalSetup: [fileURLToPath(new URL('install-worker.ts', import.meta.url))],
    pool: 'forks',
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
    expect: { poll: { timeout: 30_000 } },
    testTimeout: 120_000,
    hookTimeout: 200_000,
    reporters: ['default'],
  },
});
