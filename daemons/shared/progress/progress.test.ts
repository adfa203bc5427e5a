import { expect, test } from 'vitest';
import { boundProgress, MAX_NOTE_LENGTH } from './index.ts';

test('progress is taken as it was said', () => {
  expect(boundProgress(3, 10, 'reading')).toEqual({ done: 3, total: 10, note: 'reading' });
  expect(boundProgress(0.25, 1, undefined)).toEqual({ done: 0.25, total: 1, note: '' });
});

test('without a total, or with one that is none, the total is not known', () => {
  for (const total of [undefined, null, 0, -1, Number.NaN, '10', {}]) {
    expect(boundProgress(3, total, undefined)).toEqual({ done: 3, total: 0, note: '' });
  }
});

test('more than everything is everything, and what is beyond exact numbers is the largest of them', () => {
  expect(boundProgress(11, 10, '')).toMatchObject({ done: 10, total: 10 });
  expect(boundProgress(Number.POSITIVE_INFINITY, 1e308, '')).toMatchObject({
    done: Number.MAX_SAFE_INTEGER,
    total: Number.MAX_SAFE_INTEGER,
  });
});

test.each([-1, Number.NaN, '3', null, undefined, {}, 3n])('%s of something says nothing', (done) => {
  expect(boundProgress(done, 10, 'note')).toBeUndefined();
});

test('a note is one line of at most 200 characters without control characters', () => {
  const noteOf = (note: unknown) => boundProgress(1, 2, note)?.note;
  expect(noteOf('a\u0000b\u001b[31mred\r\nnext\u2028line\t')).toBe('a b [31mred next line');
  expect(noteOf('x'.repeat(1_000_000))).toHaveLength(MAX_NOTE_LENGTH);
  // Half of what is cut in two.
  expect(noteOf(`${'x'.repeat(MAX_NOTE_LENGTH - 1)}😀`)?.isWellFormed()).toBe(true);
  expect(noteOf({ toString: () => 'text' })).toBe('');
});
