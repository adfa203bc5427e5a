/** A counted number of turns: whoever comes when all are taken waits in line. */
export interface Turns {
  /** @returns what ends the turn. @throws the signal's reason when it is aborted first */
  take(signal: AbortSignal): Promise<() => void>;
}

export function createTurns(count: number): Turns {
  let free = count;
  const line = new Set<() => void>();

  function end(): void {
    free += 1;
    const next = line.values().next().value;
    if (next) next();
  }

  async function untilCalled(signal: AbortSignal): Promise<void> {
    const called = Promise.withResolvers<void>();
    const leave = () => {
      line.delete(call);
      called.reject(signal.reason);
    };
    const call = () => {
      line.delete(call);
      free -= 1;
      signal.removeEventListener('abort', leave);
      called.resolve();
    };
    signal.addEventListener('abort', leave, { once: true });
    line.add(call);
    await called.promise;
  }

  return {
    async take(signal) {
      signal.throwIfAborted();
      if (free > 0) free -= 1;
      else await untilCalled(signal);
      let ended = false;
      return () => {
        if (!ended) end();
        ended = true;
      };
    },
  };
}
