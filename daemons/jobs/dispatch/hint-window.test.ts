import { expect, test } from 'vitest';
import { createHintWindow } from './hint-window.ts';

test('the window grows with what runs and with the rate of starts, between its bounds', () => {
  let now = 0;
  const window = createHintWindow(() => now);
  expect(window.size(0)).toBe(8);
  expect(window.size(50)).toBe(50);
  for (let started = 0; started < 300; started += 1) window.started('one');
  expect(window.size(50)).toBe(300);
  expect(window.size(100_000)).toBe(2_000);
  now = 600;
  expect(window.size(0)).toBe(300);
});

test('a message names as many tasks as one executor begins in a twentieth of a second, one at least and twenty at most', () => {
  let now = 0;
  const window = createHintWindow(() => now);
  expect(window.tasksPerHint()).toBe(1);
  for (let started = 0; started < 90; started += 1) window.started('one');
  expect(window.tasksPerHint()).toBe(9);
  for (let started = 0; started < 90; started += 1) window.started(`${started % 3}`);
  expect(window.tasksPerHint()).toBe(4);
  for (let started = 0; started < 5_000; started += 1) window.started('one');
  expect(window.tasksPerHint()).toBe(20);
  now = 600;
  expect(window.tasksPerHint()).toBe(20);
  now = 1_700;
  expect(window.tasksPerHint()).toBe(1);
});

test('after a pause the rate of before says nothing', () => {
  let now = 0;
  const window = createHintWindow(() => now);
  for (let started = 0; started < 300; started += 1) window.started('one');
  now = 1_100;
  expect(window.size(0)).toBe(8);
});
