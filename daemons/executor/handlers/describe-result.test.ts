import { expect, test } from 'vitest';
import { describeError, describeResult } from './describe-result.ts';

const one = (item: unknown) => describeResult({ items: [item] }, 1).items[0];

test('the three ways in which an item can end', () => {
  expect(one({ status: 'succeeded', result: { a: 1 } })).toEqual({
    status: 'succeeded',
    resultJson: '{"a":1}',
    error: undefined,
  });
  expect(one({ status: 'succeeded' })).toMatchObject({ status: 'succeeded', resultJson: '' });
  expect(one({ status: 'failed', reason: 'Bad', message: 'It is bad' })).toMatchObject({
    status: 'failed',
    error: { reason: 'Bad', message: 'It is bad' },
  });
  expect(one({ status: 'retry', reason: 'Later', message: 'Not yet' })).toMatchObject({ status: 'retry' });
});

test.each([undefined, null, 5, {}, { items: 'no' }, { items: [] }, { items: [1, 2] }])(
  'an answer without one result per item fails all of them: %j',
  (answer) => {
    const { items } = describeResult(answer, 1);
    expect(items).toMatchObject([{ status: 'failed', error: { reason: 'InvalidResult' } }]);
    expect(items[0]?.error?.message).toMatch(/expected 1, got/);
  },
);

test.each([undefined, null, {}, { status: 'odd' }])(
  'a result of no known status fails its item: %j',
  (item) => {
    expect(one(item)).toMatchObject({ status: 'failed', error: { reason: 'InvalidResult' } });
  },
);

test('a result over 256 KiB of JSON fails its item, with the size and the limit', () => {
  expect(one({ status: 'succeeded', result: 'x'.repeat(256 * 1024 - 2) })).toMatchObject({
    status: 'succeeded',
  });
  expect(one({ status: 'succeeded', result: 'x'.repeat(256 * 1024 - 1) })).toMatchObject({
    status: 'failed',
    error: {
      reason: 'ResultTooLarge',
      message: 'The result has 262145 bytes as JSON; at most 256 KiB are kept',
    },
  });
});

test('results of one task over 6 MiB together fail those that do not fit', () => {
  const result = { status: 'succeeded', result: 'x'.repeat(250_000) };
  const { items } = describeResult({ items: Array(30).fill(result) }, 30);
  expect(items.filter(({ status }) => status === 'succeeded')).toHaveLength(25);
  expect(items.at(-1)?.error?.reason).toBe('ResultTooLarge');
});

test.each([
  ['U+0000', 'a\0b'],
  ['half a surrogate pair', 'a\ud800b'],
  ['U+0000 in a name', { 'a\0': 1 }],
])('a result with %s, which PostgreSQL cannot store, fails its item', (_, result) => {
  expect(one({ status: 'succeeded', result })).toMatchObject({ error: { reason: 'InvalidResult' } });
});

test.each(['\\u0000', '\\\\ud800', '😀', '\u0001'])('text that only looks like it is kept: %j', (result) => {
  expect(one({ status: 'succeeded', result })).toMatchObject({ resultJson: JSON.stringify(result) });
});

test('a result that cannot be written as JSON fails its item', () => {
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  expect(one({ status: 'succeeded', result: circle })).toMatchObject({ status: 'failed' });
  expect(one({ status: 'succeeded', result: 1n })).toMatchObject({ status: 'failed' });
});

test('a counter whose name can not be kept is left out, and fails no item', () => {
  const names = ['__proto__', 'constructor', '', ' ', 'a\0b', '\ud800', '\u001b[31m', 'x'.repeat(65)];
  const entries = [...names, 'größe 📏', 'y'.repeat(64)].map((name) => [name, 1]);
  const { items, countersJson } = describeResult(
    { items: [{ status: 'succeeded' }], counters: Object.fromEntries(entries) },
    1,
  );
  expect(items).toMatchObject([{ status: 'succeeded' }]);
  expect(JSON.parse(countersJson)).toEqual({ 'größe 📏': 1, ['y'.repeat(64)]: 1 });
  expect(describeResult({ items: [], counters: [1] }, 0).countersJson).toBe('');
});

test('only whole numbers are counters', () => {
  const { countersJson } = describeResult({ items: [], counters: { a: 1, b: 1.5, c: '2', d: -3 } }, 0);
  expect(JSON.parse(countersJson)).toEqual({ a: 1, d: -3 });
});

test('texts of errors are bounded and can be stored', () => {
  const { reason, message } = describeError('R'.repeat(100), `a\0b\ud800${'c'.repeat(1_000)}`);
  expect(reason).toHaveLength(64);
  expect(message).toHaveLength(500);
  expect(message.startsWith('a\uFFFDb\uFFFDccc')).toBe(true);
});
