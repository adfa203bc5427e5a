/** Waits for changes; those that come while nobody waits are remembered, as one. */
export interface ChangeSignal {
  /** Resolves at once after a change that was not waited for, at the next one, after `ms` milliseconds, or at the end. */
  wait(ms: number): Promise<void>;
  /** Stops watching. May be called twice. */
  end(): void;
  readonly ended: boolean;
}

/** @param watch starts to call the listener, and returns what ends that */
export function createChangeSignal(
  watch: (listener: () => void) => () => void,
  stopping: AbortSignal,
): ChangeSignal {
  let changed = false;
  let ended = false;
  let wake: () => void = () => {};
  const unwatch = watch(() => {
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

  return {
    async wait(ms) {
      if (!changed && !ended) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      changed = false;
    },
    end,
    get ended() {
      return ended;
    },
  };
}
