/** Knows how long this process could do nothing: its event loop was busy, or it got no processor. */
export interface StallClock {
  /** Milliseconds since the clock was started, all stalls together. */
  stalledMs(): number;
  stop(): void;
}

const TICK_MS = 20;
/** A timer is late by so much on a machine that has nothing else to do. */
const TOLERATED_MS = 5;

/** Asks to be woken every 20 ms, and counts how much later it is. */
export function startStallClock(now: () => number = () => performance.now()): StallClock {
  let total = 0;
  let expected = now() + TICK_MS;
  const late = () => {
    const ms = now() - expected;
    return ms > TOLERATED_MS ? ms : 0;
  };
  const timer = setInterval(() => {
    total += late();
    expected = now() + TICK_MS;
  }, TICK_MS);
  timer.unref();
  return {
    // What is late at this moment has not been woken for yet.
    stalledMs: () => total + late(),
    stop: () => clearInterval(timer),
  };
}
