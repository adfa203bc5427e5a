import type { WatchCancellationsResponse } from '@jobber/proto/jobs/v1/jobs';
import { createLogger } from '@jobber/shared/log';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../testing/test-executor.ts';
import type { AbortCause, Attempt } from './attempt.ts';
import { createRunningAttempts } from './running-attempts.ts';
import { watchCancellations } from './watch-cancellations.ts';

type Stream = () => AsyncGenerator<WatchCancellationsResponse, void, undefined>;

/** Each opening of the stream gets the next of these; the last stands for all further ones. */
function watch(streams: readonly Stream[], silenceMs = 30_000) {
  const aborted: string[] = [];
  const attempts = createRunningAttempts();
  for (const [jobId, seq] of [
    [1, 0],
    [2, 0],
    [2, 1],
  ] as const) {
    const abort = (cause: AbortCause) => aborted.push(`${jobId}/${seq} ${cause}`);
    attempts.add({ ref: { jobId, seq, attempt: 1 }, abort } as unknown as Attempt);
  }
  const opened: AbortSignal[] = [];
  const client = {
    watchCancellations(_: unknown, { signal }: { signal?: AbortSignal } = {}) {
      opened.push(signal!);
      return streams[Math.min(opened.length, streams.length) - 1]!();
    },
  };
  const stop = watchCancellations({
    client,
    executorId: 'test',
    attempts,
    log: createLogger({ daemon: 'test', level: 'silent' }),
    timing: { minMs: 1, maxMs: 5, silenceMs },
  });
  onTestFinished(stop);
  return { aborted, opened, stop };
}

async function* telling(...messages: number[][]) {
  for (const jobIds of messages) yield { jobIds };
}

test('all attempts of a cancelled job are aborted, and no others', async () => {
  const { aborted } = watch([() => telling([], [2, 3])]);
  await until(() => aborted.length >= 2, 'two attempts are aborted');
  expect(aborted.slice(0, 2)).toEqual(['2/0 cancelled', '2/1 cancelled']);
  expect(aborted.some((line) => line.startsWith('1/'))).toBe(false);
});

test('a stream that fails or ends is opened again', async () => {
  const failing: Stream = () => {
    throw new Error('not now');
  };
  const { aborted, opened } = watch([failing, () => telling([]), () => telling([1])]);
  await until(() => aborted.length > 0, 'the third stream was heard');
  expect(opened.length).toBeGreaterThanOrEqual(3);
});

test('a stream without a word is opened again', async () => {
  const { opened, stop } = watch(
    [
      async function* silent() {
        yield { jobIds: [] };
        const signal = opened.at(-1)!;
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      },
    ],
    30,
  );
  await until(() => opened.length >= 3, 'it was opened three times');
  expect(opened.slice(0, 2).map(({ aborted }) => aborted)).toEqual([true, true]);
  await stop();
  expect(opened.at(-1)?.aborted).toBe(true);
});

test('an attempt that arrives after the word of its cancellation is aborted, too', () => {
  const attempts = createRunningAttempts();
  attempts.cancelJob(7);
  const aborted: string[] = [];
  for (const jobId of [7, 8]) {
    const abort = (cause: AbortCause) => aborted.push(`${jobId} ${cause}`);
    attempts.add({ ref: { jobId, seq: 0, attempt: 1 }, abort } as unknown as Attempt);
  }
  expect(aborted).toEqual(['7 cancelled']);
});
