/**
 * How many hints of one job type may be at the broker. A topic is first in, first out: whatever is in it stands in front of
 * a more urgent task, or another owner's, that comes later. So no more than what executors take up soon: as many as run, or
 * as many as have been started in the last half second, whichever is more.
 */
export interface HintWindow {
  /** A hint has been followed, here. */
  started(): void;
  /** @param running tasks of the type that run now, on all executors */
  size(running: number): number;
}

/** So that executors with free slots find something, whatever has been before; few enough to wait behind. */
const MIN_SIZE = 8;
const MAX_SIZE = 2_000;
const SPAN_MS = 500;

export function createHintWindow(now: () => number = () => performance.now()): HintWindow {
  // Starts of this span and of the one before.
  let spanBegan = now();
  let current = 0;
  let previous = 0;

  function turn(): void {
    const passed = now() - spanBegan;
    if (passed < SPAN_MS) return;
    previous = passed < 2 * SPAN_MS ? current : 0;
    current = 0;
    spanBegan = now();
  }

  return {
    started() {
      turn();
      current += 1;
    },
    size(running) {
      turn();
      return Math.min(MAX_SIZE, Math.max(MIN_SIZE, running, current, previous));
    },
  };
}
