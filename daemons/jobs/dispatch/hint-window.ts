import { MAX_HINTS } from '@jobber/shared/hints';

/**
 * How many hints of one job type may be at the broker. A topic is first in, first out: whatever is in it stands in front of
 * a more urgent task, or another owner's, that comes later. So no more than what executors take up soon: as many as run, or
 * as many as have been started in the last half second, whichever is more.
 */
export interface HintWindow {
  /** A hint has been followed, here, by this executor. */
  started(executorId: string): void;
  /** @param running tasks of the type that run now, on all executors */
  size(running: number): number;
  /**
   * How many tasks one message may name, as each costs the broker as much as several tasks cost everybody else: no more than
   * one executor begins in a twentieth of a second, so that none waits in one executor while another one has nothing to do.
   */
  tasksPerHint(): number;
}

/** So that executors with free slots find something, whatever has been before; few enough to wait behind. */
const MIN_SIZE = 8;
const MAX_SIZE = 2_000;
const SPAN_MS = 500;
/** What one executor begins in this part of a span may come to it in one message. */
const SHARE_OF_SPAN = 0.1;

export function createHintWindow(now: () => number = () => performance.now()): HintWindow {
  // Starts of this span and of the one before.
  let spanBegan = now();
  let current = 0;
  let previous = 0;
  let executors = new Set<string>();
  let previousExecutors = executors;

  function turn(): void {
    const passed = now() - spanBegan;
    if (passed < SPAN_MS) return;
    const follows = passed < 2 * SPAN_MS;
    previous = follows ? current : 0;
    previousExecutors = follows ? executors : new Set();
    current = 0;
    executors = new Set();
    spanBegan = now();
  }

  return {
    started(executorId) {
      turn();
      current += 1;
      executors.add(executorId);
    },
    size(running) {
      turn();
      return Math.min(MAX_SIZE, Math.max(MIN_SIZE, running, current, previous));
    },
    tasksPerHint() {
      turn();
      const sharers = Math.max(1, executors.size, previousExecutors.size);
      const begun = Math.max(current, previous) / sharers;
      return Math.min(MAX_HINTS, Math.max(1, Math.floor(begun * SHARE_OF_SPAN)));
    },
  };
}
