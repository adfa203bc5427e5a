import { expect, test } from 'vitest';
import { wrapWords } from './wrap-words.ts';

test('a long text is broken between words, and what follows is indented', () => {
  const lines = wrapWords('sixteen letters. '.repeat(20).trim(), 10).split('\n');
  expect(lines.length).toBeGreaterThan(4);
  for (const line of lines.slice(1)) expect(line).toMatch(/^ {10}\S/);
  for (const line of lines) expect(line.trim().length).toBeLessThanOrEqual(70);
});

test('a word that is longer than the line stays whole', () => {
  expect(wrapWords(`a ${'x'.repeat(100)} b`, 2)).toBe(`a\n  ${'x'.repeat(100)}\n  b`);
});
