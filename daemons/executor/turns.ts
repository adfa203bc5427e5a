import type { Abortable } from './abortable.ts';

/** A counted number of turns: whoever comes when all are taken waits in line. */
export interface Turns {
  /**
   * Undefined: the turn is taken at once; otherwise it is when the promise resolves.
   * @throws the reason when it is given up first
   */
  take(waiter: Abortable): Promise<void> | undefined;
  /** Ends a turn that was taken. */
  end(): void;
}

interface Waiting {
  readonly waiter: Abortable;
  readonly resolve: () => void;
}

export function createTurns(count: number): Turns {
  let free = count;
  const line = new Set<Waiting>();

  function untilCalled(waiter: Abortable): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting = { waiter, resolve };
      line.add(waiting);
      waiter.onAbort = () => {
        line.delete(waiting);
        reject(waiter.abortReason);
      };
    });
  }

  return {
    take(waiter) {
      if (waiter.abortReason !== undefined) throw waiter.abortReason;
      if (free === 0) return untilCalled(waiter);
      free -= 1;
      return undefined;
    },
    end() {
      const next = line.values().next().value;
      if (!next) {
        free += 1;
        return;
      }
      // The turn goes from hand to hand.
      line.delete(next);
      next.waiter.onAbort = undefined;
      next.resolve();
    },
  };
}
