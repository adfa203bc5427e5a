import { expect, test } from 'vitest';
import type { JobListener, JobState } from '../dispatch/job-changes.ts';
import { createChangeSignal } from './change-signal.ts';

function setUp() {
  const listeners = new Set<JobListener>();
  const stopping = new AbortController();
  const signal = createChangeSignal((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, stopping.signal);
  const change = (state?: JobState) => listeners.forEach((listener) => void listener(state));
  return { listeners, stopping, signal, change };
}

const completed = (completed: number): JobState => ({
  id: 1,
  status: 'IN_PROGRESS',
  size: 9,
  completed,
  failed: 0,
  startedAt: new Date(0),
  endedAt: null,
  round: 1,
});

test('a change that nobody waited for is remembered, once', async () => {
  const { signal, change } = setUp();
  change();
  change();
  await signal.wait(60_000);
  signal.take();
  let waited = false;
  const next = signal.wait(60_000).then(() => {
    waited = true;
  });
  await Promise.resolve();
  expect(waited).toBe(false);
  change();
  await next;
});

test('of the states that were not taken the latest counts, whatever the order they came in', () => {
  const { signal, change } = setUp();
  for (const n of [1, 3, 2]) change(completed(n));
  expect(signal.take()).toEqual(completed(3));
  expect(signal.take()).toBeUndefined();
  change(completed(2));
  expect(signal.take()).toEqual(completed(2));
});

test('a change whose state is not known means reading, whatever else is known', () => {
  for (const changes of [[undefined, completed(1)], [completed(1), undefined], [undefined]]) {
    const { signal, change } = setUp();
    for (const state of changes) change(state);
    expect(signal.take()).toBeUndefined();
  }
});

test('waiting ends after its time', async () => {
  await setUp().signal.wait(1);
});

test('the end, from either side, ends the waiting and the watching', async () => {
  for (const side of ['end', 'stop'] as const) {
    const { signal, listeners, stopping } = setUp();
    const waiting = signal.wait(60_000);
    if (side === 'end') signal.end();
    else stopping.abort();
    await waiting;
    expect([signal.ended, listeners.size]).toEqual([true, 0]);
    signal.end();
    await signal.wait(60_000);
  }
  const stopped = new AbortController();
  stopped.abort();
  expect(createChangeSignal(() => () => {}, stopped.signal).ended).toBe(true);
});

test('a pause lasts through changes, and not beyond the end of the job', async () => {
  const { signal, change } = setUp();
  let over = false;
  const pause = signal.pause(60_000).then(() => {
    over = true;
  });
  change(completed(1));
  change();
  await Promise.resolve();
  expect(over).toBe(false);
  signal.take();
  change({ ...completed(9), status: 'COMPLETED', endedAt: new Date(1) });
  await pause;
});
