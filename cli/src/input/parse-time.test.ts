import { expect, test } from 'vitest';
import { parseDate, parseDuration, parseMoment } from './parse-time.ts';

test('durations have a unit, or are seconds', () => {
  expect(['30', '500ms', '30s', '5m', '2h', '1d'].map((text) => parseDuration('--timeout', text))).toEqual([
    30_000, 500, 30_000, 300_000, 7_200_000, 86_400_000,
  ]);
  for (const text of ['', '0', '-5', 'abc', '1.5h', '5 m']) {
    expect(() => parseDuration('--timeout', text)).toThrow('--timeout must be a time like 30s, 5m or 2h');
  }
});

test('durations may have several parts, and weeks', () => {
  expect(['1h30m', '1w', '2m500ms'].map((text) => parseDuration('--delay', text))).toEqual([
    5_400_000, 604_800_000, 120_500,
  ]);
});

test.each([
  ['-5', 'is negative'],
  ['1y', 'has the unit y, which is none of ms, s, m, h, d, w'],
  ['99999999h', 'is too long'],
  ['1.5h', 'is not made of whole numbers that fit'],
  ['9999999999999999s', 'is not made of whole numbers that fit'],
  ['soon', 'is not'],
  ['', 'is empty'],
])('--delay %s is refused: it %s', (text, why) => {
  const maximum = { milliseconds: 315_360_000_000, text: '10 years' };
  expect(() => parseDuration('--delay', text, { minimum: 0, maximum })).toThrow(
    `--delay must be a time like 30s, 5m or 2h, at most 10 years: "${text}" ${why}`,
  );
});

test('dates may be in the future; days that do not exist are none', () => {
  expect(parseDate('--run-at', '2026-03-01T14:00:00+02:00').toISOString()).toBe('2026-03-01T12:00:00.000Z');
  expect(parseDate('--run-at', '2026-03-01')).toEqual(new Date(2026, 2, 1));
  expect(parseDate('--run-at', '2028-02-29 14:00')).toEqual(new Date(2028, 1, 29, 14));
  for (const text of ['', 'tomorrow', '2026-02-30', '2026-02-30T10:00Z', '2026-13-01', '2026-03-01T25:00']) {
    expect(() => parseDate('--run-at', text)).toThrow(`or 2026-03-01T14:00:00Z: "${text}" is not`);
  }
  expect(() => parseDate('--run-at', '300000-01-01')).toThrow('has a year of more than four digits');
  expect(() => parseDate('--run-at', '2h')).toThrow('is not, but how long: that is given with --delay');
});

test('moments are dates in local time, exact times, or how long ago', () => {
  const now = Date.parse('2026-03-02T12:00:00Z');
  expect(parseMoment('--since', '2h', now)).toBe('2026-03-02T10:00:00.000Z');
  expect(parseMoment('--since', '2026-03-01T14:00:00Z', now)).toBe('2026-03-01T14:00:00.000Z');
  expect(parseMoment('--since', '2026-03-01', now)).toBe(new Date(2026, 2, 1).toISOString());
  for (const text of ['', 'yesterday', '12', '2026-13-01', '2026-03-01Tx']) {
    expect(() => parseMoment('--since', text, now)).toThrow('--since must be a date like');
  }
});
