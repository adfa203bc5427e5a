import type { Pool, PoolClient } from 'pg';
import { FIRST_OWNER } from '../transitions/choose-fairly.ts';
import { type Claim, type Claimed, claimTasks } from '../transitions/claim-tasks.ts';

/** Claims tasks of the type `echo` for `executor-1`: at most 10, of the oldest jobs, for a minute, unless a test asks otherwise. */
export async function claimTestTasks(
  database: Pool | PoolClient,
  asked: Partial<Claim> = {},
): Promise<Claimed> {
  return await claimTasks(database, {
    types: ['echo'],
    limit: 10,
    order: 'oldest',
    executorId: 'executor-1',
    leaseMs: 60_000,
    afterOwner: FIRST_OWNER,
    maxRunningPerOwner: null,
    ...asked,
  });
}
