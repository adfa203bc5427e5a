import { expect, test } from 'vitest';
import { createHintWindow } from './hint-window.ts';

test('the window grows with what runs and with the rate of starts, between its bounds', () => {
  let now = 0;
  const window = createHintWindow(() => now);
  expect(window.size(0)).toBe(8);
  expect(window.size(50)).toBe(50);
  for (let started = 0; started < 300; started += 1) window.started();
  expect(window.size(50)).toBe(300);
  expect(window.size(100_000)).toBe(2_000);
  now = 600;
  expect(window.size(0)).toBe(300);
});

test('after a pause the rate of before says nothing', () => {
  let now = 0;
  const window = createHintWindow(() => now);
  for (let started = 0; started < 300; started += 1) window.started();
  now = 1_100;
  expect(window.size(0)).toBe(8);
});
