import type { TaskServices } from '@jobber/job-types';
import { describeResult } from './describe-result.ts';
import {
  ABORT_GRACE_MS,
  describeFailure,
  HandlerFailed,
  type HandlerReport,
  type HandlerRun,
} from './handler-run.ts';

/**
 * Runs a handler on the daemon's event loop. One that ignores its signal is abandoned after a moment: the attempt has
 * its outcome, and what the handler still does is fenced or idempotent.
 * @throws HandlerFailed when the handler throws; the signal's reason when it was aborted
 */
export async function runInline(run: HandlerRun, services: TaskServices): Promise<HandlerReport> {
  const { type, items, signal } = run;
  signal.throwIfAborted();
  run.onStart();
  const started = performance.now();
  const abandoned = Promise.withResolvers<never>();
  let grace: NodeJS.Timeout | undefined;
  const onAbort = () => {
    grace = setTimeout(() => abandoned.reject(signal.reason), ABORT_GRACE_MS);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const context = {
      jobId: run.jobId,
      ownerId: run.ownerId,
      items,
      signal,
      services,
      log: (message: string, fields?: Readonly<Record<string, unknown>>) => run.log(message, fields),
    };
    const result = await Promise.race([Promise.try(() => type.run(context)), abandoned.promise]);
    return { ...describeResult(result, items.length), durationMs: performance.now() - started };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw new HandlerFailed(describeFailure(error));
  } finally {
    clearTimeout(grace);
    signal.removeEventListener('abort', onAbort);
  }
}
