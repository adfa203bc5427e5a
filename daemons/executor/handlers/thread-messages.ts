import type { MessagePort } from 'node:worker_threads';
import type { Progress } from '@jobber/shared/progress';
import type { TaskOutcome, TravellingTask } from './run-task.ts';

/** Several tasks of one type for one thread; one after the other. */
export interface BatchMessage {
  readonly slug: string;
  readonly tasks: readonly TravellingTask[];
  /** One `TaskState` per task, in memory that both threads see. */
  readonly states: Int32Array;
  readonly port: MessagePort;
}

/** The thread takes a task by WAITING → RUNNING, the pool takes it back by WAITING → TAKEN: only one of them succeeds. */
export const TaskState = { WAITING: 0, RUNNING: 1, DONE: 2, TAKEN: 3 } as const;

export type ThreadOutcome = TaskOutcome & { readonly index: number };

/** From the thread. */
export type ThreadMessage =
  | ThreadOutcome
  | { readonly index: number; readonly message: string; readonly fields: string | undefined }
  | { readonly index: number; readonly progress: Progress };

/** To the thread. */
export interface AbortMessage {
  readonly abort: number;
}

/** What every thread is told when it begins: where the job types are. */
export interface ThreadData {
  readonly modules: readonly string[];
}
