import type { Pool, PoolClient } from 'pg';
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
import { SELECT_STARTED, type StartedRow, type StartedTask, toStartedTask } from './started-task.ts';

/**
 * ready → running, for up to `limit` tasks of the given types, chosen fairly. The claim is the start of an attempt: its
 * number grows and its lease runs by the database's clock.
 */
function statement(order: ClaimOrder, limits: Limits): string {
  return `
  ${chooseFairly(order, limits)}, started as (
    update task set state = 'running', attempt = attempt + 1, executor_id = $5,
      lease_until = clock_timestamp() + $6 * interval '1 ms'
    from candidate c
    where task.job_id = c.job_id and task.seq = c.seq and task.state = ${READY}
    returning task.*
  )
  select rest.*, claimed.* from rest left join (${SELECT_STARTED}) claimed on true
  order by claimed.job_id, claimed.seq`;
}

const statementOf = fairStatements('claim-tasks', statement);

export interface Claim extends FairChoice {
  readonly executorId: string;
  readonly leaseMs: number;
}

export type Claimed = Taken<StartedTask>;

type ClaimedRow = RestRow & (StartedRow | { readonly job_id: null });

export async function claimTasks(database: Pool | PoolClient, claim: Claim): Promise<Claimed> {
  const { rows } = await database.query<ClaimedRow>({
    ...statementOf(claim),
    values: [...choiceValues(claim), claim.executorId, claim.leaseMs],
  });
  return toTaken(rows, (row) => (row.job_id === null ? undefined : toStartedTask(row)));
}
