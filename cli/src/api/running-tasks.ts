/** A task of a job that an executor is running. */
export interface RunningTask {
  /** Number of the task in its job, from 0. */
  readonly task: number;
  readonly attempt: number;
  readonly items: number;
  readonly executor: string | null;
  /** What its handler has said last; null when it has said nothing (yet). */
  readonly progress: TaskProgress | null;
}

/** `done` of `total`, in whatever unit the handler counts. */
export interface TaskProgress {
  readonly done: number;
  /** Null: not known. */
  readonly total: number | null;
  readonly note: string | null;
  readonly at: string;
}

export const RUNNING_TASK = 'task attempt items executor progress { done total note at }';
