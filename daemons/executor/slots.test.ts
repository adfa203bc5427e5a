import { expect, test } from 'vitest';
import { createSlots } from './slots.ts';

/** Fills all free slots, begins the tasks after `waitedMs`, and releases them. @returns how many there were */
function round(slots: ReturnType<typeof createSlots>, waitedMs: number): number {
  const count = slots.free();
  for (let i = 0; i < count; i++) slots.take();
  for (let i = 0; i < count; i++) slots.started(waitedMs);
  for (let i = 0; i < count; i++) slots.release();
  return count;
}

test('slots double while all of them are used and tasks begin at once, up to the most', () => {
  const slots = createSlots({ min: 4, max: 50 }, () => 0);
  expect([1, 2, 3, 4, 5, 6].map(() => round(slots, 1))).toEqual([4, 8, 16, 32, 50, 50]);
});

test('slots halve when tasks wait long, down to the least', () => {
  const slots = createSlots({ min: 4, max: 64 }, () => 0);
  for (let i = 0; i < 5; i++) round(slots, 1);
  expect([1, 2, 3, 4, 5, 6].map(() => round(slots, 500))).toEqual([64, 32, 16, 8, 4, 4]);
});

test('slots are the least at once when tasks wait for too long, and grow again', () => {
  const slots = createSlots({ min: 4, max: 64 }, () => 0);
  for (let i = 0; i < 5; i++) round(slots, 1);
  slots.shrink();
  expect([1, 2].map(() => round(slots, 1))).toEqual([4, 8]);
});

test('slots stay as they are when tasks wait a moment, and when not all of them are used', () => {
  const slots = createSlots({ min: 4, max: 64 }, () => 0);
  expect([round(slots, 100), round(slots, 100)]).toEqual([4, 4]);
  for (let i = 0; i < 20; i++) {
    slots.take();
    slots.started(0);
    slots.release();
  }
  expect(slots.free()).toBe(4);
});

test('after a pause nothing is known about the tasks to come', () => {
  let now = 0;
  const slots = createSlots({ min: 4, max: 64 }, () => now);
  for (let i = 0; i < 4; i++) round(slots, 1);
  expect(slots.free()).toBe(64);
  now = 5_000;
  slots.take();
  expect(slots.free()).toBe(3);
});
