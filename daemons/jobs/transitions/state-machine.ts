import type { JobStatus, TaskState } from '@jobber/db/jobs';

/**
 * One change of state: the transition that makes it (its file's name), from where, and to
 * where. Null: it is not there yet.
 */
export type Change<State> = readonly [transition: string, from: State | null, to: State];

/** Every change of a task's state that there is. */
export const TASK_CHANGES: readonly Change<TaskState>[] = [
  ['accept-jobs', null, 'waiting'],
  ['accept-jobs', null, 'ready'],
  ['accept-jobs', null, 'dispatched'],
  ['accept-jobs', null, 'running'],
  ['wake-tasks', 'waiting', 'ready'],
  ['claim-tasks', 'ready', 'running'],
  ['dispatch-tasks', 'ready', 'dispatched'],
  ['recall-tasks', 'dispatched', 'ready'],
  ['start-tasks', 'dispatched', 'running'],
  ['renew-leases', 'running', 'running'],
  ['retry-attempts', 'running', 'waiting'],
  ['defer-attempts', 'running', 'waiting'],
  ['release-attempts', 'running', 'ready'],
  ['hand-back-attempts', 'running', 'ready'],
  ['rescue-tasks', 'running', 'ready'],
  ['rescue-tasks', 'dispatched', 'ready'],
  ['finish-attempts', 'running', 'succeeded'],
  ['finish-attempts', 'running', 'dead'],
  ['bury-tasks', 'running', 'dead'],
  ['redrive-tasks', 'dead', 'ready'],
  ['cancel-job', 'waiting', 'cancelled'],
  ['cancel-job', 'ready', 'cancelled'],
  ['cancel-job', 'dispatched', 'cancelled'],
  ['cancel-job', 'running', 'cancelled'],
];

/** Every change of a job's status that there is. */
export const JOB_CHANGES: readonly Change<JobStatus>[] = [
  ['accept-jobs', null, 'IN_PROGRESS'],
  ['accept-jobs', null, 'SCHEDULED'],
  ['begin-jobs', 'SCHEDULED', 'IN_PROGRESS'],
  ['finish-attempts', 'IN_PROGRESS', 'COMPLETED'],
  ['finish-attempts', 'IN_PROGRESS', 'FAILED'],
  ['bury-tasks', 'IN_PROGRESS', 'FAILED'],
  ['redrive-tasks', 'FAILED', 'IN_PROGRESS'],
  ['cancel-job', 'IN_PROGRESS', 'CANCELLED'],
  ['cancel-job', 'SCHEDULED', 'CANCELLED'],
  ['cancel-job', 'AWAITING_APPROVAL', 'CANCELLED'],
];

/** The states to which the transition takes something from this state; none: it changes nothing there. */
export function statesAfter<State>(
  changes: readonly Change<State>[],
  transition: string,
  from: State,
): readonly State[] {
  return changes.flatMap(([name, before, after]) => (name === transition && before === from ? [after] : []));
}
