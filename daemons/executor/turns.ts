import type { Abortable } from './abortable.ts';
import { createFairLine, type InLine } from './fair-line.ts';

/** A counted number of turns: whoever comes when all are taken waits in line, in which owners and their jobs take turns. */
export interface Turns {
  /**
   * Undefined: the turn is taken at once; otherwise it is when the promise resolves.
   * @param task for which it is
   * @throws the reason when it is given up first
   */
  take(waiter: Abortable, task: InLine): Promise<void> | undefined;
  /** Ends a turn that was taken. */
  end(): void;
}

interface Waiting extends InLine {
  readonly waiter: Abortable;
  readonly resolve: () => void;
}

export function createTurns(count: number): Turns {
  let free = count;
  const line = createFairLine<Waiting>();

  function untilCalled(waiter: Abortable, { ownerId, jobId }: InLine): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting = { waiter, ownerId, jobId, resolve };
      line.add(waiting);
      waiter.onAbort = () => {
        line.remove(waiting);
        reject(waiter.abortReason);
      };
    });
  }

  return {
    take(waiter, task) {
      if (waiter.abortReason !== undefined) throw waiter.abortReason;
      if (free === 0) return untilCalled(waiter, task);
      free -= 1;
      return undefined;
    },
    end() {
      const [next] = line.take(1);
      if (!next) {
        free += 1;
        return;
      }
      // The turn goes from hand to hand.
      next.waiter.onAbort = undefined;
      next.resolve();
    },
  };
}
