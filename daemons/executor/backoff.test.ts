import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { createBackoff } from './backoff.ts';

const random = vi.spyOn(Math, 'random');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'], fakeNodeBuiltins: true });
  onTestFinished(() => void vi.useRealTimers());
});

/** How long each of these waits takes, by a clock that moves to the next timer at once. */
async function waits(backoff: ReturnType<typeof createBackoff>, count: number): Promise<number[]> {
  const lengths: number[] = [];
  while (lengths.length < count) {
    const begun = performance.now();
    const over = backoff.wait();
    await vi.advanceTimersToNextTimerAsync();
    await over;
    lengths.push(performance.now() - begun);
  }
  return lengths;
}

test.each([
  { share: 'half', drawn: 0, expected: [50, 100, 200, 400, 500, 500] },
  { share: 'three quarters', drawn: 0.5, expected: [75, 150, 300, 600, 750, 750] },
])(
  'each wait is twice as long as the last, up to the limit, and $share of that by chance',
  async ({ drawn, expected }) => {
    random.mockReturnValue(drawn);
    expect(await waits(createBackoff({ minMs: 100, maxMs: 1_000 }), 6)).toEqual(expected);
  },
);

test('after a reset the waits begin anew', async () => {
  random.mockReturnValue(0);
  const backoff = createBackoff({ minMs: 100, maxMs: 1_000 });
  expect(await waits(backoff, 3)).toEqual([50, 100, 200]);
  backoff.reset();
  expect(await waits(backoff, 2)).toEqual([50, 100]);
});

test('an abort ends a wait, and a wait after it is none', async () => {
  const backoff = createBackoff({ minMs: 100, maxMs: 1_000 });
  const controller = new AbortController();
  const over = backoff.wait(controller.signal);
  controller.abort();
  await over;
  await backoff.wait(controller.signal);
  expect(vi.getTimerCount()).toBe(0);
});
