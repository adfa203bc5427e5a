import type { Pool, PoolClient } from 'pg';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import { type Claim, claimTasks } from '../transitions/claim-tasks.ts';
import { countRunningTasks } from '../transitions/count-running-tasks.ts';
import type { StartedTask } from '../transitions/started-task.ts';

/** Claims ready tasks, as many as the limits of their types and of their owners leave room for. */
export type ClaimWithinLimits = (
  asked: Omit<Claim, 'leaseMs' | 'maxRunningPerOwner'> & { readonly onCrowded: () => void },
) => Promise<StartedTask[]>;

export interface RunningLimits {
  /** Tasks that one user may have running at the same time; null: no limit. */
  readonly maxRunningPerOwner: number | null;
  readonly leaseMs: number;
}

/** Whoever counts what is running and then claims does so alone, among all replicas. */
const TAKE_TURNS = `select pg_advisory_xact_lock(hashtextextended('jobber:claim-within-limits', 0))`;

export function createClaimWithinLimits(
  { pool, catalog }: { pool: Pool; catalog: JobTypeCatalog },
  { maxRunningPerOwner, leaseMs }: RunningLimits,
): ClaimWithinLimits {
  return async function claimWithinLimits({ onCrowded, ...asked }) {
    const { free, limited } = await sortTypes(asked.types);

    async function claim(
      database: Pool | PoolClient,
      types: readonly string[],
      limit: number,
    ): Promise<StartedTask[]> {
      if (limit <= 0 || types.length === 0) return [];
      const claimed = await claimTasks(database, { ...asked, types, limit, maxRunningPerOwner, leaseMs });
      if (claimed.crowded) onCrowded();
      return claimed.tasks;
    }

    async function claimLimited(client: PoolClient, limit: number): Promise<StartedTask[]> {
      const tasks: StartedTask[] = [];
      if (maxRunningPerOwner !== null) tasks.push(...(await claim(client, free, limit)));
      for (const [type, maxRunning] of limited) {
        const room = maxRunning - (await countRunningTasks(client, type));
        tasks.push(...(await claim(client, [type], Math.min(room, limit - tasks.length))));
      }
      return tasks;
    }

    const unlimited = maxRunningPerOwner === null ? await claim(pool, free, asked.limit) : [];
    if ((limited.length === 0 && maxRunningPerOwner === null) || unlimited.length === asked.limit) {
      return unlimited;
    }
    try {
      const others = await inTurn((client) => claimLimited(client, asked.limit - unlimited.length));
      return [...unlimited, ...others];
    } catch (error) {
      // What has been claimed before must not wait for its lease.
      if (unlimited.length === 0) throw error;
      return unlimited;
    }
  };

  async function sortTypes(
    types: readonly string[],
  ): Promise<{ free: string[]; limited: [type: string, maxRunning: number][] }> {
    const free: string[] = [];
    const limited: [string, number][] = [];
    for (const type of types) {
      const maxRunning = (await catalog.bySlug(type))?.type.maxRunning ?? 0;
      if (maxRunning === 0) free.push(type);
      else limited.push([type, maxRunning]);
    }
    return { free, limited };
  }

  async function inTurn<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result> {
    const client = await pool.connect();
    let failed = true;
    try {
      await client.query('begin');
      await client.query(TAKE_TURNS);
      const result = await work(client);
      await client.query('commit');
      failed = false;
      return result;
    } finally {
      // A connection in the middle of a transaction is closed, which ends the transaction.
      client.release(failed);
    }
  }
}
