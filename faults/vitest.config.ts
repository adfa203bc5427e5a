import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Not part of `npm test`: these tests start whole platforms and break them, for minutes.
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['faults/**/*.fault.test.ts'],
    // Mostly they wait for leases and restarts: two platforms at a time take half as long, also on two cores.
    maxWorkers: 2,
    pool: 'forks',
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
    expect: { poll: { timeout: 30_000 } },
    testTimeout: 400_000,
    hookTimeout: 200_000,
    reporters: ['default'],
  },
});
