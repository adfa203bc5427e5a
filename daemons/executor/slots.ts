/** How many tasks this executor holds at once, running or about to. */
export interface Slots {
  /** As many as can run at once. */
  readonly min: number;
  free(): number;
  /** A task has arrived. */
  take(): void;
  /** A task's handler has begun, so many milliseconds after the task had arrived. */
  started(waitedMs: number): void;
  /** A task's outcome is stored. */
  release(): void;
  /** Tasks wait here for too long. */
  shrink(): void;
}

export interface SlotLimits {
  /** Held at once at least, so that everything that can run does. */
  readonly min: number;
  readonly max: number;
}

/** Tasks that begin within this time could have been more; tasks that wait longer than that are better off elsewhere. */
const SHORT_WAIT_MS = 20;
const LONG_WAIT_MS = 200;
/** After a pause of this length nothing is known about the tasks to come. */
const FORGET_MS = 1_000;

/**
 * Slots that grow while tasks are quick, so that tiny ones come in large batches, and shrink when tasks wait here while
 * another executor might have run them.
 */
export function createSlots({ min, max }: SlotLimits, now: () => number = () => performance.now()): Slots {
  let limit = min;
  let held = 0;
  let full = false;
  let waits = 0;
  let waitedMs = 0;
  let emptySince = now();

  function adjust(): void {
    const average = waitedMs / waits;
    if (average > LONG_WAIT_MS) limit = Math.max(min, Math.floor(limit / 2));
    else if (average < SHORT_WAIT_MS && full) limit = Math.min(max, limit * 2);
    startOver();
  }

  function startOver(): void {
    waits = 0;
    waitedMs = 0;
    full = false;
  }

  return {
    min,
    free: () => Math.max(0, limit - held),
    take() {
      if (held === 0 && now() - emptySince > FORGET_MS) limit = min;
      held += 1;
      if (held >= limit) full = true;
    },
    started(waited) {
      waits += 1;
      waitedMs += waited;
      if (waits >= limit) adjust();
    },
    release() {
      held -= 1;
      if (held === 0) emptySince = now();
    },
    shrink() {
      limit = min;
      startOver();
    },
  };
}
