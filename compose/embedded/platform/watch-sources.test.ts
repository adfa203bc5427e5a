import { expect, test } from 'vitest';
import { daemonsAffectedBy } from './watch-sources.ts';

test('a daemon restarts when its own source, what daemons share, its tables or the protocol change', () => {
  expect(daemonsAffectedBy('daemons/auth/use-cases/log-in.ts')).toEqual(['auth']);
  expect(daemonsAffectedBy('daemons/jobs/graphql/schema.graphql')).toEqual(['jobs']);
  expect(daemonsAffectedBy('daemons/job-types/fibonacci/index.ts')).toEqual(['executor']);
  expect(daemonsAffectedBy('daemons/shared/log/index.ts')).toEqual(['auth', 'products', 'jobs', 'executor']);
  expect(daemonsAffectedBy('proto/gen/jobber/jobs/v1/jobs.ts')).toEqual([
    'auth',
    'products',
    'jobs',
    'executor',
  ]);
  expect(daemonsAffectedBy('db/connection.ts')).toEqual(['auth', 'products', 'jobs']);
});

test('nothing restarts for tests, builds and other files', () => {
  for (const path of [
    'daemons/auth/use-cases/log-in.it.test.ts',
    'daemons/auth/test-auth.ts',
    'daemons/executor/testing/fake-jobs.ts',
    'daemons/auth/dist/main.ts',
    'daemons/auth/README.md',
    'daemons/auth/.env',
  ]) {
    expect(daemonsAffectedBy(path), path).toEqual([]);
  }
});
