import { expect, test } from 'vitest';
import { describePostgresLine } from './describe-postgres-line.ts';

const PREFIX = '2026-11-23 10:20:30.456 UTC [77] jobs@jobs ';

test('problems of the server are seen', () => {
  expect(describePostgresLine(`${PREFIX}PANIC:  could not write to file: No space left on device`)).toEqual({
    level: 'fatal',
    message: 'could not write to file: No space left on device',
  });
  expect(describePostgresLine(`${PREFIX}FATAL:  sorry, too many clients already`)?.level).toBe('error');
  expect(describePostgresLine(`${PREFIX}WARNING:  out of shared memory`)?.level).toBe('warn');
});

test('ordinary lines, refused statements and what early clients are told are not', () => {
  for (const line of [
    'LOG:  database system is ready to accept connections',
    'ERROR:  duplicate key value violates unique constraint "user_account_email_key"',
    'STATEMENT:  select FATAL',
    'FATAL:  the database system is starting up',
    'FATAL:  terminating connection due to administrator command',
  ]) {
    expect(describePostgresLine(PREFIX + line), line).toBeUndefined();
  }
});
