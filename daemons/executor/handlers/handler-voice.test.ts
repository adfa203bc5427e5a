import type { Progress } from '@jobber/shared/progress';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createHandlerVoice } from './handler-voice.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function listen() {
  const lines: [string, string | undefined][] = [];
  const heard: Progress[] = [];
  const voice = createHandlerVoice({
    log: (message, fields) => lines.push([message, fields]),
    progress: (progress) => heard.push(progress),
  });
  return { ...voice, lines, heard };
}

test('a task that is done soon passes on no progress', () => {
  const { progress, end, heard } = listen();
  progress(1, 2);
  progress(2, 2);
  end();
  vi.advanceTimersByTime(10_000);
  expect(heard).toEqual([]);
});

test('the last word is passed on, twice a second at most', () => {
  const { progress, heard } = listen();
  for (let done = 1; done <= 1_000; done++) {
    progress(done, 1_000, `step ${done}`);
    vi.advanceTimersByTime(1);
  }
  expect(heard.length).toBe(2);
  progress(7);
  vi.advanceTimersByTime(10_000);
  expect(heard.at(-1)).toEqual({ done: 7, total: 0, note: '' });
  expect(heard.length).toBe(3);
});

test('what lets no timer run passes its progress on by its own words', () => {
  const { progress, heard } = listen();
  progress(1);
  // Time goes on, and no timer fires.
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now + 600);
  progress(2);
  expect(heard).toMatchObject([{ done: 2 }]);
});

test('nonsense instead of progress is passed over, with one line in the log', () => {
  const { progress, heard, lines } = listen();
  for (const done of [Number.NaN, -1, 'half']) {
    progress(done);
    vi.advanceTimersByTime(500);
  }
  expect(heard).toEqual([]);
  expect(lines).toEqual([
    ['progress was passed over: how much is done must be a number from 0 on', undefined],
  ]);
});

test('log lines are bounded in length and number, and have text whatever they are given', () => {
  const { log, lines } = listen();
  log(Object.create(null), { big: 1n });
  log('x'.repeat(10_000), { y: 'y'.repeat(10_000) });
  for (let line = 0; line < 1_000; line++) log('again');
  expect(lines[0]).toEqual(['something that has no text', undefined]);
  expect(lines[1]?.map((text) => text?.length)).toEqual([2_000, 2_000]);
  expect(lines).toHaveLength(200);
});

test('who speaks after the end is not heard', () => {
  const { log, progress, end, lines, heard } = listen();
  progress(1);
  end();
  log('late');
  progress(2);
  vi.advanceTimersByTime(10_000);
  expect([...lines, ...heard]).toEqual([]);
});
