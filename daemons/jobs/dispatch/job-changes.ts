import type { JobStatus } from '@jobber/db/jobs';
import type { JobView } from '../job-view.ts';
import type { Notifications } from './notifications.ts';

/** What those who watch a job are told. */
export type JobState = Pick<
  JobView,
  'id' | 'status' | 'size' | 'completed' | 'failed' | 'startedAt' | 'endedAt' | 'round'
>;

/** @param state the job as a committed transition has left it; undefined when only that it has changed is known */
export type JobListener = (state: JobState | undefined) => void;

/** Tells who waits for a job that it may have changed. */
export interface JobChanges {
  /** Calls `listener` after each change of the job, until the returned function is called. */
  watch(jobId: number, listener: JobListener): () => void;
  /** After a commit: who watches these jobs learns their states here, and on other replicas that they have changed. */
  tell(states: readonly JobState[]): void;
}

export function createJobChanges(notifications: Notifications): JobChanges {
  const watchers = new Map<number, Set<JobListener>>();
  let told: ReadonlyMap<number, JobState> = new Map();
  notifications.onJobsChanged((ids) => {
    if (watchers.size === 0) return;
    for (const id of ids) for (const listener of watchers.get(id) ?? []) listener(told.get(id));
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
    tell(states) {
      // This replica's listeners are called before jobsChanged returns.
      if (watchers.size > 0) told = new Map(states.map((state) => [state.id, state]));
      notifications.jobsChanged(states.map(({ id }) => id));
      told = new Map();
    },
  };
}

/** A job goes through these in this order only, once a round. */
const STAGE: Readonly<Record<JobStatus, number>> = {
  AWAITING_APPROVAL: 0,
  SCHEDULED: 1,
  IN_PROGRESS: 2,
  COMPLETED: 3,
  FAILED: 3,
  CANCELLED: 3,
};

/** Whether `a` is the job at a later time than `b`: states arrive in any order, and are told in that of time only. */
export function isLater(a: JobState, b: JobState): boolean {
  if (a.round !== b.round) return a.round > b.round;
  if (STAGE[a.status] !== STAGE[b.status]) return STAGE[a.status] > STAGE[b.status];
  return a.completed + a.failed > b.completed + b.failed;
}
