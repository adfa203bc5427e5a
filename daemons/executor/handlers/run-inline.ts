import type { TaskServices } from '@jobber/job-types';
import { describeResult } from './describe-result.ts';
import {
  ABORT_GRACE_MS,
  describeFailure,
  HandlerFailed,
  type HandlerReport,
  type InlineRun,
} from './handler-run.ts';
import { createHandlerVoice } from './handler-voice.ts';

/**
 * Runs a handler on the daemon's event loop. One that ignores its signal is abandoned after a moment: the attempt has
 * its outcome, and what the handler still does is fenced or idempotent.
 * @throws HandlerFailed when the handler throws; the signal's reason when it was aborted
 */
export async function runInline(run: InlineRun, services: TaskServices): Promise<HandlerReport> {
  const { type, items } = run;
  if (run.abortReason !== undefined) throw run.abortReason;
  run.onStart();
  const started = performance.now();
  const { log, progress, end } = createHandlerVoice({
    log: (message, fields) => run.log(message, fields === undefined ? undefined : { fields }),
    progress: (said) => run.progress(said),
  });
  const answer = Promise.withResolvers<unknown>();
  let grace: NodeJS.Timeout | undefined;
  run.onAbort = () => {
    grace = setTimeout(() => answer.reject(run.abortReason), ABORT_GRACE_MS);
  };
  try {
    const context = {
      jobId: run.jobId,
      ownerId: run.ownerId,
      traceparent: run.traceparent,
      items,
      // Most small handlers do not ask for it.
      get signal() {
        return run.signal;
      },
      services,
      log,
      progress,
    };
    Promise.resolve(type.run(context)).then(answer.resolve, answer.reject);
    const result = await answer.promise;
    return { ...describeResult(result, items.length), durationMs: performance.now() - started };
  } catch (error) {
    if (run.abortReason !== undefined) throw run.abortReason;
    throw new HandlerFailed(describeFailure(error));
  } finally {
    end();
    clearTimeout(grace);
    run.onAbort = undefined;
  }
}
