import { expect, test } from 'vitest';
import { isDatabaseUnavailable } from './database-failure.ts';

function failure(message: string, code?: string): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

test.each([
  ['the server is stopping', failure('terminating connection due to administrator command', '57P01')],
  ['the server is starting', failure('the database system is starting up', '57P03')],
  ['no connection is left', failure('too many clients', '53300')],
  ['the disk is full', failure('could not extend file', '53100')],
  ['a statement took too long', failure('canceling statement due to statement timeout', '57014')],
  ['nobody listens', failure('connect ECONNREFUSED', 'ECONNREFUSED')],
  ['the connection broke', failure('Connection terminated unexpectedly')],
  ['no connection in time', failure('timeout exceeded when trying to connect')],
  ['no answer in time', failure('Query read timeout')],
  ['all addresses failed', new AggregateError([failure('', 'ECONNREFUSED')])],
  ['another error wraps it', new Error('failed', { cause: failure('', 'ECONNRESET') })],
])('%s: the database is unavailable', (_, error) => {
  expect(isDatabaseUnavailable(error)).toBe(true);
});

test.each([
  ['a duplicate', failure('duplicate key', '23505')],
  ['wrong SQL', failure('syntax error', '42601')],
  ['a missing table', failure('relation does not exist', '42P01')],
  ['a bug', new TypeError('x is not a function')],
  ['no error at all', 'ECONNREFUSED'],
])('%s: it is not', (_, error) => {
  expect(isDatabaseUnavailable(error)).toBe(false);
});
