import type { Pool, PoolClient } from 'pg';
import { type AttemptRef, type AttemptRow, refOfRow } from './attempt-ref.ts';
import {
  type ClaimOrder,
  choiceValues,
  chooseFairly,
  type FairChoice,
  fairStatements,
  type Limits,
  READY,
  type RestRow,
  type Taken,
  toTaken,
} from './choose-fairly.ts';

/**
 * ready → dispatched, for up to `limit` tasks of the given types, chosen as a claim chooses them. A hint of each is to be
 * published now. The task has a lease as a running one has: if nobody has started it by then, its hint is taken for lost.
 */
function statement(order: ClaimOrder, limits: Limits): string {
  return `
  ${chooseFairly(order, limits)}, dispatched as (
    update task set state = 'dispatched', lease_until = clock_timestamp() + $5 * interval '1 ms'
    from candidate c
    where task.job_id = c.job_id and task.seq = c.seq and task.state = ${READY}
    returning task.job_id, task.seq, task.attempt + 1 as attempt, task.type, task.priority
  )
  select rest.*, d.*, (select traceparent from job where id = d.job_id) as traceparent
  from rest left join dispatched d on true
  order by d.priority desc, d.${order === 'oldest' ? 'job_id, d.seq' : 'seq, d.job_id'}`;
}

const statementOf = fairStatements('dispatch-tasks', statement);

export interface Dispatch extends FairChoice {
  /** How long a hint may be under way, in milliseconds. */
  readonly hintMs: number;
}

/** A task whose hint is under way. `attempt` is the one that the hint may start. */
export interface DispatchedTask extends AttemptRef {
  /** Slug. */
  readonly type: string;
  /** Of the request that has made the job; null: a job of a release before this was kept. */
  readonly traceparent: string | null;
}

type DispatchedRow = RestRow &
  ((AttemptRow & Pick<DispatchedTask, 'type' | 'traceparent'>) | { readonly job_id: null });

/** @returns the tasks in the order in which their hints are to be published */
export async function dispatchTasks(
  database: Pool | PoolClient,
  dispatch: Dispatch,
): Promise<Taken<DispatchedTask>> {
  const { rows } = await database.query<DispatchedRow>({
    ...statementOf(dispatch),
    values: [...choiceValues(dispatch), dispatch.hintMs],
  });
  return toTaken(rows, (row) =>
    row.job_id === null ? undefined : { ...refOfRow(row), type: row.type, traceparent: row.traceparent },
  );
}
