import type { Notifications } from './notifications.ts';

/** Tells who waits for a job that it may have changed. */
export interface JobChanges {
  /** Calls `listener` after each change of the job, until the returned function is called. */
  watch(jobId: number, listener: () => void): () => void;
}

export function createJobChanges(notifications: Notifications): JobChanges {
  const watchers = new Map<number, Set<() => void>>();
  notifications.onJobsChanged((ids) => {
    if (watchers.size === 0) return;
    for (const id of ids) for (const listener of watchers.get(id) ?? []) listener();
  });
  return {
    watch(jobId, listener) {
      const listeners = watchers.get(jobId) ?? new Set();
      watchers.set(jobId, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) watchers.delete(jobId);
      };
    },
  };
}
