import { expect, test } from 'vitest';
import { isLabel } from './index.ts';

test.each(['a', 'nightly', ' a blank ', 'Ärger 日 🚀', 'x'.repeat(10)])('%j is a label', (text) => {
  expect(isLabel(text, 10)).toBe(true);
});

test.each([
  ['nothing', ''],
  ['only blanks', ' \u3000 '],
  ['too long', 'x'.repeat(11)],
  ['a line break', 'a\nb'],
  ['NUL', 'a\u0000'],
  ['an escape sequence', '\u001b[31mred'],
  ['half a surrogate pair', 'a\ud800'],
  ['an invisible character', 'a\u200bb'],
  ['a change of direction', 'a\u202eb'],
])('what has %s is none', (_what, text) => {
  expect(isLabel(text, 10)).toBe(false);
});
