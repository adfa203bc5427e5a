import { expect, test } from 'vitest';
import { createChangeSignal } from './change-signal.ts';

function setUp() {
  const listeners = new Set<() => void>();
  const stopping = new AbortController();
  const signal = createChangeSignal((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, stopping.signal);
  return { listeners, stopping, signal, change: () => listeners.forEach((listener) => void listener()) };
}

test('a change that nobody waited for is remembered, once', async () => {
  const { signal, change } = setUp();
  change();
  change();
  await signal.wait(60_000);
  let waited = false;
  const next = signal.wait(60_000).then(() => {
    waited = true;
  });
  await Promise.resolve();
  expect(waited).toBe(false);
  change();
  await next;
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
