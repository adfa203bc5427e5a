import type { Failure } from '../failure.ts';
import { EXIT } from '../failure.ts';

export interface Interruption {
  readonly signal: AbortSignal;
  release(): void;
}

/**
 * From now on the first Ctrl-C (or SIGTERM) aborts the signal with the failure that `explain` makes; a second one ends
 * the process at once. So does a time limit, if one is given.
 */
export function onInterruption(
  explain: () => Failure,
  limit?: { milliseconds: number; explain: () => Failure },
): Interruption {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(explain());
  };
  const timer =
    limit === undefined
      ? undefined
      : setTimeout(() => controller.abort(limit.explain()), Math.min(limit.milliseconds, 2 ** 31 - 1));
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  return {
    signal: controller.signal,
    release: () => {
      clearTimeout(timer);
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    },
  };
}
