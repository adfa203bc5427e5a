import type { Pool, PoolClient } from 'pg';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import { inTransaction } from '../in-transaction.ts';
import { type Claim, type Claimed, claimTasks, FIRST_OWNER } from '../transitions/claim-tasks.ts';
import { countRunningTasks } from '../transitions/count-running-tasks.ts';
import type { StartedTask } from '../transitions/started-task.ts';

/** Claims ready tasks, as many as the limits of their types and of their owners leave room for. */
export type ClaimWithinLimits = (asked: Omit<Claim, 'leaseMs' | 'maxRunningPerOwner'>) => Promise<Claimed>;

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
  return async function claimWithinLimits(asked) {
    const { free, limited } = await sortTypes(asked.types);

    async function claim(
      database: Pool | PoolClient,
      types: readonly string[],
      limit: number,
    ): Promise<Claimed> {
      if (limit <= 0 || types.length === 0) return { tasks: [], more: false, lastOwner: asked.afterOwner };
      return await claimTasks(database, { ...asked, types, limit, maxRunningPerOwner, leaseMs });
    }

    async function claimLimited(client: PoolClient, type: string, limit: number): Promise<Claimed> {
      const room = (limited.get(type) ?? 0) - (await countRunningTasks(client, type));
      return await claim(client, [type], Math.min(room, limit));
    }

    const freely: Way = (limit) => claim(pool, free, limit);
    const inTurn: Way = (limit) =>
      takeTurns((client) => {
        const ways = [...limited.keys()].map(
          (type): Way =>
            (left) =>
              claimLimited(client, type, left),
        );
        if (maxRunningPerOwner !== null) ways.push((left) => claim(client, free, left));
        return claimEachWay(shuffled(ways), limit);
      });
    if (maxRunningPerOwner !== null) return await inTurn(asked.limit);
    if (limited.size === 0) return await freely(asked.limit);
    const [first, second] = shuffled([freely, inTurn]) as [Way, Way];
    const claimed = await first(asked.limit);
    // What has been claimed must not wait for its lease because of what comes then.
    const orNone: Way = (limit) =>
      claimed.tasks.length === 0 ? second(limit) : second(limit).catch(() => NONE);
    return await claimEachWay([async () => claimed, orNone], asked.limit);
  };

  async function sortTypes(
    types: readonly string[],
  ): Promise<{ free: string[]; limited: Map<string, number> }> {
    const free: string[] = [];
    const limited = new Map<string, number>();
    for (const type of types) {
      const maxRunning = (await catalog.bySlug(type))?.type.maxRunning ?? 0;
      if (maxRunning === 0) free.push(type);
      else limited.set(type, maxRunning);
    }
    return { free, limited };
  }

  function takeTurns<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result> {
    return inTransaction(pool, async (client) => {
      await client.query(TAKE_TURNS);
      return await work(client);
    });
  }
}

/** Claims up to so many tasks. */
type Way = (limit: number) => Promise<Claimed>;

const NONE: Claimed = { tasks: [], more: true, lastOwner: FIRST_OWNER };

/** One after the other, as far as the limit goes. */
async function claimEachWay(ways: readonly Way[], limit: number): Promise<Claimed> {
  const tasks: StartedTask[] = [];
  const claims: Claimed[] = [];
  for (const way of ways) {
    // A way that is not taken may lead to more.
    const claimed = tasks.length === limit ? NONE : await way(limit - tasks.length);
    tasks.push(...claimed.tasks);
    claims.push(claimed);
  }
  const fruitful = claims.find((claimed) => claimed.tasks.length > 0);
  return {
    tasks,
    more: claims.some(({ more }) => more),
    lastOwner: fruitful?.lastOwner ?? FIRST_OWNER,
  };
}

/** In any order: no type stands in front of the others all the time. */
function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
