import { type AttemptOutcome, ItemStatus } from '@jobber/proto/jobs/v1/jobs';
import { createLogger } from '@jobber/shared/log';
import { createMetrics } from '@jobber/shared/telemetry';
import { afterEach, expect, test, vi } from 'vitest';
import type { Attempt } from './attempts/attempt.ts';
import { outcomeOfError, sameForAll } from './attempts/describe-outcome.ts';
import { createRunningAttempts } from './attempts/running-attempts.ts';
import { createExecutorMetrics } from './executor-metrics.ts';
import type { TaskSink } from './intake/intake.ts';
import { createSlots } from './slots.ts';
import { createWork } from './work.ts';

afterEach(() => {
  vi.useRealTimers();
});

const MIN = 2;

/** Work on tasks that end when they are told to, two at a time. */
function startWork() {
  vi.useFakeTimers();
  let sink: TaskSink | undefined;
  const running = createRunningAttempts();
  const outcomes = new Map<number, AttemptOutcome>();
  const ends = new Map<number, () => void>();
  const slots = createSlots({ min: MIN, max: 64 }, () => 0);
  const line: (() => void)[] = [];
  let places = MIN;

  async function run(attempt: Attempt, onStart: () => void): Promise<AttemptOutcome | undefined> {
    try {
      if (places === 0) {
        await new Promise<void>((resolve, reject) => {
          line.push(resolve);
          attempt.onAbort = () => {
            line.splice(line.indexOf(resolve), 1);
            reject(attempt.abortReason);
          };
        });
      } else places -= 1;
      attempt.onAbort = undefined;
      attempt.started = true;
      onStart();
      await new Promise<void>((resolve) => ends.set(attempt.ref.jobId, resolve));
      const next = line.shift();
      if (next) next();
      else places += 1;
      return sameForAll(attempt, ItemStatus.SUCCEEDED, '', '', 0);
    } catch (error) {
      return outcomeOfError(attempt, error, 0);
    }
  }

  const work = createWork({
    intake: {
      start(given) {
        sink = given;
      },
      slotsFreed() {},
      withdraw() {},
      stop: async () => {},
      check: async () => {},
    },
    slots,
    running,
    heartbeats: { watch() {}, stop() {} },
    reports: {
      async report({ ref }, outcome) {
        outcomes.set(ref.jobId, outcome);
        return 'recorded';
      },
      finishWithin() {},
      close() {},
    },
    metrics: createExecutorMetrics(createMetrics('executor'), () => running.size),
    run,
    log: createLogger({ daemon: 'executor', level: 'silent' }),
  });
  work.start();

  function deliver(...jobIds: number[]): void {
    for (const jobId of jobIds) {
      sink?.deliver({
        leasedAt: 0,
        settled() {},
        task: {
          ref: { jobId, seq: 0, attempt: 1 },
          slug: 'echo',
          firstItem: 0,
          itemCount: 1,
          offsets: [],
          input: undefined,
          leaseMs: 15_000,
          timeoutMs: 60_000,
          ownerId: '',
          traceparent: '',
          interruptions: 0,
        },
      });
    }
  }

  return {
    work,
    slots,
    outcomes,
    deliver,
    async end(jobId: number) {
      ends.get(jobId)?.();
      await vi.advanceTimersByTimeAsync(0);
    },
    pass: (ms: number) => vi.advanceTimersByTimeAsync(ms),
    handedBack: () => [...outcomes].filter(([, { notStarted }]) => notStarted).map(([jobId]) => jobId),
  };
}

test('what has not begun from one look to the next goes back, but as many stay as can run at once', async () => {
  const { work, outcomes, deliver, end, pass, handedBack } = startWork();
  deliver(1, 2, 3, 4, 5);
  await pass(1_000);
  deliver(6);
  expect(handedBack()).toEqual([]);
  await pass(1_000);
  expect(handedBack()).toEqual([3, 4, 5]);
  expect(outcomes.get(3)).toMatchObject({ interrupted: true, notStarted: true, items: [] });
  // The next has waited for no more than a second, and begins.
  await end(1);
  await pass(5_000);
  expect(handedBack()).toEqual([3, 4, 5]);
  await end(2);
  await end(6);
  expect([...outcomes.keys()]).toEqual([3, 4, 5, 1, 2, 6]);
  await work.stop();
});

test('no more is taken after that than can run at once', async () => {
  const { slots, deliver, end, pass } = startWork();
  for (let jobId = 1; jobId <= 20; jobId += 2) {
    deliver(jobId, jobId + 1);
    await pass(0);
    await end(jobId);
    await end(jobId + 1);
  }
  expect(slots.free()).toBeGreaterThan(MIN);
  deliver(...Array.from({ length: slots.free() }, (_, index) => 101 + index));
  await pass(3_000);
  expect(slots.free()).toBe(0);
  await end(101);
  expect(slots.free()).toBe(1);
});

test('a task that waits goes on waiting where as few are held as can run at once', async () => {
  const { deliver, pass, handedBack } = startWork();
  deliver(1, 2);
  await pass(10_000);
  expect(handedBack()).toEqual([]);
});
