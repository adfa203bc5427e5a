import { expect, test } from 'vitest';
import { readJobOptions } from './job-options.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const read = (flags: Parameters<typeof readJobOptions>[0]) => readJobOptions(flags, now);

test('what is not typed is left to the job type', () => {
  expect(read({})).toEqual({});
});

test('times become milliseconds and ISO times', () => {
  expect(
    read({ 'run-at': '2026-03-02T00:00:00Z', 'attempt-timeout': '90s', backoff: '0', priority: '-7' }),
  ).toEqual({ runAt: '2026-03-02T00:00:00.000Z', timeout: 90_000, backoff: 0, priority: -7 });
  expect(
    read({ delay: '1h30m', 'max-attempts': '3', 'unique-for': 'nightly', tag: ['a', 'b', 'a'] }),
  ).toEqual({
    delay: 5_400_000,
    maxAttempts: 3,
    uniqueFor: 'nightly',
    tags: ['a', 'b'],
  });
});

test.each([
  [{ priority: 'abc' }, '--priority must be a whole number from -100 to 100: "abc" is not a number'],
  [{ priority: '1e9' }, '"1e9" is written with an exponent'],
  [{ priority: '2.5' }, '"2.5" is not whole'],
  [{ priority: '101' }, '"101" is too large'],
  [{ 'max-attempts': '0' }, '--max-attempts must be a whole number from 1 to 100: "0" is too small'],
  [{ delay: '-5' }, '--delay must be a time like 30s, 5m or 2h, at most 10 years: "-5" is negative'],
  [{ delay: '99999999h' }, '"99999999h" is too long'],
  [
    { 'attempt-timeout': '8d' },
    '--attempt-timeout must be a time like 30s, 5m or 2h, at most 7 days: "8d" is too long',
  ],
  [{ 'attempt-timeout': '0' }, '"0" is too short'],
  [{ backoff: '25h' }, '--backoff must be a time like 30s, 5m or 2h, at most 1 day: "25h" is too long'],
  [{ 'run-at': '300000-01-01' }, '"300000-01-01" has a year of more than four digits'],
  [{ 'run-at': '9999-01-01' }, '--run-at can be at most 10 years ahead: "9999-01-01" is later'],
  [{ 'run-at': '2026-03-02', delay: '1h' }, '--run-at and --delay exclude each other'],
  [{ tag: [''] }, '--tag must be 1 to 100 printable characters: "" is empty'],
  [
    { tag: ['a\u0000b'] },
    '--tag must be 1 to 100 printable characters: "ab" has U+0000, which can\'t be seen',
  ],
  [{ tag: ['a\u202eb'] }, 'has U+202E'],
  [{ tag: ['x'.repeat(101)] }, 'has 101'],
  [
    { tag: Array.from({ length: 10_000 }, (_, at) => String(at)) },
    '--tag can be given at most 20 times: here are 10,000 tags',
  ],
  [{ 'unique-for': 'x'.repeat(256) }, '--unique-for must be 1 to 255 printable characters'],
])('%j is refused with what, why and the limit', (flags, message) => {
  expect(() => read(flags)).toThrow(message);
});

test('a time in the past is no mistake: the job begins at once', () => {
  expect(read({ 'run-at': '2020-01-01T00:00:00Z' })).toEqual({ runAt: '2020-01-01T00:00:00.000Z' });
});
