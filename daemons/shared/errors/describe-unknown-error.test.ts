import { expect, test } from 'vitest';
import { describeUnknownError } from './describe-unknown-error.ts';

test('of a call without a connection the fact is told, without the filler around it', () => {
  const error = new Error(
    '/jobber.jobs.v1.JobsService/Heartbeat UNAVAILABLE: No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:5002. Resolution note: ',
  );
  expect(describeUnknownError(error)).toBe(
    '/jobber.jobs.v1.JobsService/Heartbeat UNAVAILABLE: connect ECONNREFUSED 127.0.0.1:5002',
  );
});
