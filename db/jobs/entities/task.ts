import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

export const TASK_STATES = [
  'waiting',
  'ready',
  'dispatched',
  'running',
  'succeeded',
  'dead',
  'cancelled',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

/**
 * A decided item: its offset in the task, 1 for success or 0 for failed for good, and the result or the error.
 * Compact, because a load has one for each record.
 */
export type DecidedItem =
  | readonly [offset: number, succeeded: 1, result: unknown]
  | readonly [offset: number, succeeded: 0, error: { readonly reason: string; readonly message: string }];

/** How far the handler of an attempt says it is; `total` 0: not known. It says nothing about other attempts. */
export interface TaskProgress {
  readonly attempt: number;
  readonly done: number;
  readonly total: number;
  readonly note: string;
  /** When it was stored, in milliseconds since 1970. */
  readonly at: number;
}

/** A contiguous run of a job's items: the unit that is dispatched, leased and retried. */
export const Task = defineEntity({
  name: 'Task',
  tableName: 'task',
  properties: {
    jobId: p.bigint('number').primary(),
    seq: p.integer().primary(),
    type: p.text(),
    /** The owner and the priority of its job: claims read nothing else. */
    ownerId: p.uuid(),
    priority: p.integer(),
    state: p.enum(TASK_STATES),
    /** Executions so far; the number is the fencing token of the running one. */
    attempt: p.integer(),
    /** Attempts that the handler failed: these count towards the limit. */
    failures: p.integer(),
    /** Attempts that ended by a shutdown or with their executor: bounded by a limit of their own. */
    interruptions: p.integer(),
    /** Attempts that a service which the handler needs was away for: they count towards nothing. */
    deferrals: p.integer(),
    /** When a waiting task becomes ready. */
    availableAt: p.datetime(),
    leaseUntil: p.datetime().strictNullable(),
    executorId: p.text().strictNullable(),
    firstItem: p.integer(),
    itemCount: p.integer(),
    /** The items as a JSON array; or the range of the job's upload that holds them. */
    items: p.text().strictNullable(),
    byteFrom: p.bigint('number').strictNullable(),
    byteTo: p.bigint('number').strictNullable(),
    line: p.bigint('number').strictNullable(),
    decided: p.json<DecidedItem[]>(),
    /** What each attempt counted, to be added up. */
    counters: p.json<Record<string, number>[]>(),
    lastError: p.text().strictNullable(),
    diedAt: p.datetime().strictNullable(),
    progress: p.json<TaskProgress>().strictNullable(),
  },
});
export type Task = InferEntity<typeof Task>;
