import type { Acceptance, NewJob, NewTask } from '../transitions/accept-jobs.ts';
import type { StartedTask } from '../transitions/started-task.ts';
import type { Place, TaskFeed } from './task-feed.ts';

/** A job that is about to be stored, with the places that executors have for its first tasks. */
export interface PlacedJob {
  readonly job: NewJob;
  readonly places: readonly Place[];
}

/**
 * Reserves places for the tasks of a job, as far as there are any: their attempts start with the acceptance, in the same
 * statement. Without one a task becomes ready and is claimed as usual.
 */
export function placeTasks(feed: TaskFeed, job: NewJob): PlacedJob {
  const { options, uploadName } = job;
  if (uploadName !== null || options?.runAt !== undefined || options?.delayMs !== undefined) {
    return { job, places: [] };
  }
  const places: Place[] = [];
  const tasks: NewTask[] = [];
  for (const task of job.tasks) {
    const place = places.length === tasks.length ? feed.reserve(job.type) : undefined;
    tasks.push(place ? { ...task, executorId: place.executorId } : task);
    if (place) places.push(place);
  }
  return places.length === 0 ? { job, places } : { job: { ...job, tasks }, places };
}

/** Delivers the tasks that started with the acceptance of their job; or frees their places. */
export function settlePlaces({ job, places }: PlacedJob, acceptance: Acceptance | Error | undefined): void {
  for (const [seq, place] of places.entries()) {
    const task = job.tasks[seq];
    if (task && acceptance && !(acceptance instanceof Error) && acceptance.outcome === 'accepted') {
      place.deliver(toStartedTask(job, acceptance.id, seq, task));
    } else place.cancel();
  }
}

function toStartedTask(job: NewJob, jobId: number, seq: number, task: NewTask): StartedTask {
  return {
    jobId,
    seq,
    attempt: 1,
    type: job.type,
    ownerId: job.ownerId,
    firstItem: task.firstItem,
    itemCount: task.itemCount,
    decidedOffsets: [],
    items: task.items,
    upload: null,
    timeoutMs: job.options?.timeoutMs ?? null,
  };
}
