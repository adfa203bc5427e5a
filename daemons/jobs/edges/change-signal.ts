import { isLater, type JobListener, type JobState } from '../dispatch/job-changes.ts';

/** Waits for changes of a job; those that come while nobody waits are remembered, as one. */
export interface ChangeSignal {
  /** Resolves at once when a change has not been taken, at the next one, after `ms` milliseconds, or at the end. */
  wait(ms: number): Promise<void>;
  /** Resolves after `ms` milliseconds; at once when the job is known to have ended, or at the end. */
  pause(ms: number): Promise<void>;
  /** Takes what has changed. @returns the job's latest state; undefined when it has to be read for that */
  take(): JobState | undefined;
  /** Stops watching. May be called twice. */
  end(): void;
  readonly ended: boolean;
}

/** @param watch starts to call the listener, and returns what ends that */
export function createChangeSignal(
  watch: (listener: JobListener) => () => void,
  stopping: AbortSignal,
): ChangeSignal {
  let changed = false;
  /** Of the changes that were not taken, when the states of all of them are known. */
  let latest: JobState | undefined;
  let ended = false;
  let wake: () => void = () => {};
  const unwatch = watch((state) => {
    if (!changed) latest = state;
    else if (!state || (latest && isLater(state, latest))) latest = state;
    changed = true;
    wake();
  });

  function end(): void {
    if (ended) return;
    ended = true;
    unwatch();
    stopping.removeEventListener('abort', end);
    wake();
  }
  if (stopping.aborted) end();
  else stopping.addEventListener('abort', end);

  function sleep(ms: number, isEnough: () => boolean): Promise<void> {
    return new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        if (!isEnough()) return;
        clearTimeout(timer);
        resolve();
      };
      wake();
    });
  }

  return {
    wait: (ms) => sleep(ms, () => changed || ended),
    pause: (ms) => sleep(ms, () => ended || (latest !== undefined && latest.endedAt !== null)),
    take() {
      const state = latest;
      changed = false;
      latest = undefined;
      return state;
    },
    end,
    get ended() {
      return ended;
    },
  };
}
