import { expect, test } from 'vitest';
import { dateTimeScalar } from './index.ts';

test.each([
  ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
  ['2028-02-29T00:00+02:00', '2028-02-28T22:00:00.000Z'],
  ['2026-12-31T23:59:59.123456789-01:30', '2027-01-01T01:29:59.123Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
])('%s is a moment', (text, moment) => {
  expect((dateTimeScalar.parseValue(text) as Date).toISOString()).toBe(moment);
});

test.each(['2027-02-29', '2027-02-30', '2026-04-31', '2100-02-29'])(
  '%s is no day, and is not taken for a later one',
  (day) => {
    const refusal = `A DateTime must be a day that there is, got ${day}`;
    expect(() => dateTimeScalar.parseValue(`${day}T00:00:00Z`)).toThrow(refusal);
    expect(() => dateTimeScalar.parseValue(`${day}T23:00:00-12:00`)).toThrow(refusal);
  },
);

test.each([
  '2026-01-31',
  '2026-01-31T12:00:00',
  '2026-01-32T12:00:00Z',
  '2026-13-01T12:00:00Z',
  '2026-01-31T25:00:00Z',
  '300000-01-01T00:00:00Z',
  '+300000-01-01T00:00:00Z',
  'yesterday',
  '',
  0,
  null,
])('%j is no moment', (value) => {
  expect(() => dateTimeScalar.parseValue(value)).toThrow('A DateTime must be ISO 8601');
});
