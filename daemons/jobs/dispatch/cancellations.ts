import type { Notifications } from './notifications.ts';

/** Tells executors at once which jobs were cancelled, through whichever replica. A hint: heartbeats tell what is missed. */
export interface Cancellations {
  /** Ids of jobs as they are cancelled, and an empty list now and then; until `gone` aborts or this replica stops. */
  watch(gone: AbortSignal): AsyncGenerator<number[], void, undefined>;
  stop(): void;
}

/** A stream without a word is taken to be dead; after this many milliseconds there is one. */
const KEEP_ALIVE_MS = 10_000;
/** Ids that an executor has not taken yet; it hears of the others by its heartbeats. */
const MAX_WAITING = 10_000;

export function createCancellations(notifications: Notifications): Cancellations {
  const stopping = new AbortController();
  const watchers = new Set<(ids: ReadonlySet<number>) => void>();
  notifications.onJobsCancelled((ids) => {
    for (const tell of watchers) tell(ids);
  });

  async function* watch(gone: AbortSignal): AsyncGenerator<number[], void, undefined> {
    const waiting = new Set<number>();
    let wake: () => void = () => {};
    const over = AbortSignal.any([gone, stopping.signal]);
    function tell(ids: ReadonlySet<number>): void {
      for (const id of ids) if (waiting.size < MAX_WAITING) waiting.add(id);
      wake();
    }
    const end = () => wake();
    watchers.add(tell);
    over.addEventListener('abort', end);
    try {
      while (!over.aborted) {
        if (waiting.size === 0) {
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, KEEP_ALIVE_MS);
            wake = () => {
              clearTimeout(timer);
              resolve();
            };
          });
        }
        if (over.aborted) return;
        const told = [...waiting];
        waiting.clear();
        yield told;
      }
    } finally {
      over.removeEventListener('abort', end);
      watchers.delete(tell);
    }
  }

  return { watch, stop: () => stopping.abort() };
}
