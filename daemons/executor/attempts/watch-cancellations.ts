import type { JobsServiceClient } from '@jobber/proto/jobs/v1/jobs';
import { describeUnknownError } from '@jobber/shared/errors';
import type { Logger } from '@jobber/shared/log';
import { type BackoffLimits, createBackoff } from '../backoff.ts';

export interface CancellationWatchOptions {
  readonly client: Pick<JobsServiceClient, 'watchCancellations'>;
  readonly executorId: string;
  /** Those that run here. */
  readonly attempts: { cancelJob(jobId: number): void };
  readonly log: Logger;
  readonly timing?: Partial<CancellationWatchTiming>;
}

export interface CancellationWatchTiming extends BackoffLimits {
  /** A stream without a word for this long is taken to be dead: three of the keep-alives that Jobs sends. */
  readonly silenceMs: number;
}

const TIMING: CancellationWatchTiming = { minMs: 100, maxMs: 2_000, silenceMs: 30_000 };

/**
 * Aborts running attempts as soon as Jobs tells that their jobs were cancelled. Whatever the intake is, and only a hint:
 * what is missed while there is no stream is told by the next heartbeat.
 * @returns what ends it, and resolves once the stream is closed
 */
export function watchCancellations(options: CancellationWatchOptions): () => Promise<void> {
  const { client, executorId, attempts, log } = options;
  const timing = { ...TIMING, ...options.timing };
  const stopping = new AbortController();
  const backoff = createBackoff(timing);

  async function keepWatching(): Promise<void> {
    while (!stopping.signal.aborted) {
      const problem = await watch().then(() => 'Jobs ended the stream', describeUnknownError);
      if (stopping.signal.aborted) return;
      // The stream of tasks has said already when Jobs is away.
      log.debug({ problem }, 'no stream of cancellations from Jobs; trying again');
      await backoff.wait(stopping.signal);
    }
  }

  async function watch(): Promise<void> {
    const silent = new AbortController();
    const silence = setTimeout(() => silent.abort(), timing.silenceMs);
    const signal = AbortSignal.any([stopping.signal, silent.signal]);
    try {
      for await (const { jobIds } of client.watchCancellations({ executorId }, { signal })) {
        silence.refresh();
        backoff.reset();
        for (const jobId of jobIds) attempts.cancelJob(jobId);
      }
    } finally {
      clearTimeout(silence);
    }
  }

  const watching = keepWatching();
  return async () => {
    stopping.abort();
    await watching;
  };
}
