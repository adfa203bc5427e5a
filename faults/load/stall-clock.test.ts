import { expect, onTestFinished, test, vi } from 'vitest';
import { startStallClock } from './stall-clock.ts';

test('an event loop that stands still is counted, one that runs is not', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let now = 0;
  const clock = startStallClock(() => now);
  const wakeAfter = (ms: number) => {
    now += ms;
    vi.advanceTimersByTime(20);
  };
  for (let tick = 0; tick < 50; tick += 1) wakeAfter(22);
  expect(clock.stalledMs()).toBe(0);
  wakeAfter(3_020);
  expect(clock.stalledMs()).toBe(3_000);
  now += 520;
  expect(clock.stalledMs()).toBe(3_500);
  clock.stop();
});
