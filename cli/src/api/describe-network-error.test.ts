import { expect, test } from 'vitest';
import { describeNetworkError } from './describe-network-error.ts';

const url = new URL('http://jobs.example.com:3001/jobs/graphql');
const lost = (message: string, code = 'ECONNRESET') => Object.assign(new Error(message), { code });

test('a connection that ends before the answer may mean TLS, where the address says http', () => {
  expect(describeNetworkError(lost('socket hang up'), url).message).toBe(
    'http://jobs.example.com:3001 closed the connection before it had answered: try again; if it speaks TLS, the address must begin with https://',
  );
  const https = new URL('https://jobs.example.com/jobs/graphql');
  expect(describeNetworkError(lost('read ECONNRESET'), https).message).toBe(
    'https://jobs.example.com reset the connection before it had answered: try again',
  );
});

test('while a file is sent a reset is a reset, and TLS is no question any more', () => {
  for (const error of [lost('read ECONNRESET'), lost('write ECONNRESET'), lost('write EPIPE', 'EPIPE')]) {
    const failure = describeNetworkError(error, url, 'file');
    expect(failure.message).toBe(
      'http://jobs.example.com:3001 reset the connection while the file was sent: nothing was loaded; try again',
    );
    expect(failure.reason).toBe('CONNECTION_LOST');
  }
});
