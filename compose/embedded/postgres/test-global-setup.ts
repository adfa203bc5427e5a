import type { TestProject } from 'vitest/node';
import { startTestPostgres } from './test-server.ts';

/**
 * vitest's globalSetup for tests that need a database: one server a run. Set JOBBER_TEST_DATABASE_URL (of a superuser)
 * to use a running server instead; databases of failed test files are then left there to be looked at.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { server, stop } = await startTestPostgres(process.env['JOBBER_TEST_DATABASE_URL']);
  project.provide('jobberTestServer', server);
  return stop;
}
