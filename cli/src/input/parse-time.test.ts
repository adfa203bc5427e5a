import { expect, test } from 'vitest';
import { parseDuration, parseMoment } from './parse-time.ts';

test('durations have a unit, or are seconds', () => {
  expect(['30', '500ms', '30s', '5m', '2h', '1d'].map((text) => parseDuration('--timeout', text))).toEqual([
    30_000, 500, 30_000, 300_000, 7_200_000, 86_400_000,
  ]);
  for (const text of ['', '0', '-5', 'abc', '1.5h', '5 m']) {
    expect(() => parseDuration('--timeout', text)).toThrow('--timeout must be a time like 30s, 5m or 2h');
  }
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
