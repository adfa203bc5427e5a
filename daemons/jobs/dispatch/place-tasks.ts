import type { Acceptance, NewJob, NewTask } from '../transitions/accept-jobs.ts';
import type { StartedTask } from '../transitions/started-task.ts';

/**
 * A place for one task that is about to be stored, so that it need not wait for its turn: at an executor, or in the window
 * of hints at the broker.
 */
export interface Place {
  /** How the task is stored: as started for an executor, or as dispatched. */
  readonly stored: Pick<NewTask, 'executorId' | 'dispatched'>;
  /** The task is stored so. */
  deliver(task: StartedTask): void;
  /** It is not, after all. */
  cancel(): void;
}

/** @returns undefined while there is no place, or while tasks of the type that came before may be waiting. */
export type ReservePlace = (type: string) => Place | undefined;

/** A job that is about to be stored, with the places that there are for its first tasks. */
export interface PlacedJob {
  readonly job: NewJob;
  readonly places: readonly Place[];
}

/**
 * Reserves places for the tasks of a job, as far as there are any: their attempts start, or their hints are under way,
 * with the acceptance, in the same statement. Without one a task becomes ready and waits for its turn.
 */
export function placeTasks(reserve: ReservePlace, job: NewJob): PlacedJob {
  const { options, uploadName } = job;
  if (uploadName !== null || options?.runAt !== undefined || options?.delayMs !== undefined) {
    return { job, places: [] };
  }
  const places = reservePlaces(reserve, job);
  if (places.length === 0) return { job, places };
  const tasks = job.tasks.map((task, index) => ({ ...task, ...places[index]?.stored }));
  return { job: { ...job, tasks }, places };
}

function reservePlaces(reserve: ReservePlace, { type, tasks }: NewJob): Place[] {
  const places: Place[] = [];
  while (places.length < tasks.length) {
    const place = reserve(type);
    if (!place) break;
    places.push(place);
  }
  return places;
}

/** Delivers the tasks that had a place when their job was accepted; or frees their places. */
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
    interruptions: 0,
    items: task.items,
    upload: null,
    timeoutMs: job.options?.timeoutMs ?? null,
    traceparent: job.traceparent,
  };
}
