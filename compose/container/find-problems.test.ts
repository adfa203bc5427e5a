import { expect, test } from 'vitest';
import { findProblems } from './find-problems.ts';

test('without settings there is nothing wrong, for each has a default or is made', async () => {
  expect(await findProblems({})).toEqual([]);
  expect(await findProblems({ SERVICE_SECRET_FILE: '/run/jobber/service-secret' })).toEqual([]);
});

test('what is wrong for any daemon is named, all at once, and what several read is named once', async () => {
  const problems = await findProblems({
    LOG_LEVEL: 'loud',
    SERVICE_SECRET: 'short',
    AUTH_COOKIE_SECURE: 'perhaps',
    JOBS_UPLOAD_MAX_BYTES: '1 GB',
    EXECUTOR_THREADS: '-1',
  });
  expect(problems.map((problem) => problem.split(' ')[0]).sort()).toEqual([
    'AUTH_COOKIE_SECURE',
    'EXECUTOR_THREADS',
    'JOBS_UPLOAD_MAX_BYTES',
    'LOG_LEVEL',
    'SERVICE_SECRET',
  ]);
  expect(problems.join()).not.toContain('short');
});
