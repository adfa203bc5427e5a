import { createLogger } from '@jobber/shared/log';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createDirectIntake } from './direct-intake.ts';

test('tries again after Jobs refuses lie further and further apart, first for a start and then for an outage', async () => {
  vi.useFakeTimers({ fakeNodeBuiltins: true });
  vi.spyOn(Math, 'random').mockReturnValue(1);
  onTestFinished(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
  const refusedAt: number[] = [];
  const intake = createDirectIntake({
    client: {
      receiveTasks() {
        refusedAt.push(performance.now());
        throw new Error('not now');
      },
    },
    executorId: 'test',
    slugs: [],
    register: async () => {},
    onReconnect: () => {},
    log: createLogger({ daemon: 'executor', level: 'silent' }),
  });
  intake.start({ deliver: () => {}, freeSlots: () => 1 } as never);
  await vi.advanceTimersByTimeAsync(8_000);
  const stopped = intake.stop();
  await vi.runAllTimersAsync();
  await stopped;
  const waits = refusedAt.slice(1).map((at, n) => at - (refusedAt[n] ?? 0));
  expect(waits.slice(0, 15)).toEqual([
    100, 200, 250, 250, 250, 250, 250, 250, 250, 100, 200, 400, 800, 1_000, 1_000,
  ]);
});
