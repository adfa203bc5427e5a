import type { Pool, PoolClient } from 'pg';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import { inTransaction } from '../in-transaction.ts';
import { type FairChoice, FIRST_OWNER, type Taken } from '../transitions/choose-fairly.ts';
import { countRunningTasks } from '../transitions/count-running-tasks.ts';

/** Takes ready tasks, by a statement that chooses fairly. */
type Take<Asked, Task> = (
  database: Pool | PoolClient,
  asked: Asked & Pick<FairChoice, 'maxRunningPerOwner'>,
) => Promise<Taken<Task>>;

/** What is asked for besides the limits. */
export type Asked = Omit<FairChoice, 'maxRunningPerOwner'>;

export interface LimitParts {
  readonly pool: Pool;
  readonly catalog: JobTypeCatalog;
  /** Tasks that one user may have running at the same time; null: no limit. */
  readonly maxRunningPerOwner: number | null;
}

/** Whoever counts what is running and then takes more does so alone, among all replicas. */
const TAKE_TURNS = `select pg_advisory_xact_lock(hashtextextended('jobber:claim-within-limits', 0))`;

/** Takes as many ready tasks as the limits of their types and of their owners leave room for. */
export function createTakeWithinLimits<Choice extends Asked, Task>(
  { pool, catalog, maxRunningPerOwner }: LimitParts,
  take: Take<Choice, Task>,
): (asked: Choice) => Promise<Taken<Task>> {
  return async function takeWithinLimits(asked) {
    const { free, limited } = await sortTypes(asked.types);

    async function takeSome(
      database: Pool | PoolClient,
      types: readonly string[],
      limit: number,
    ): Promise<Taken<Task>> {
      if (limit <= 0 || types.length === 0) return { tasks: [], more: false, lastOwner: asked.afterOwner };
      return await take(database, { ...asked, types, limit, maxRunningPerOwner });
    }

    async function takeLimited(client: PoolClient, type: string, limit: number): Promise<Taken<Task>> {
      const room = (limited.get(type) ?? 0) - (await countRunningTasks(client, type));
      return await takeSome(client, [type], Math.min(room, limit));
    }

    const freely: Way<Task> = (limit) => takeSome(pool, free, limit);
    const inTurn: Way<Task> = (limit) =>
      takeTurns((client) => {
        const ways = [...limited.keys()].map(
          (type): Way<Task> =>
            (left) =>
              takeLimited(client, type, left),
        );
        if (maxRunningPerOwner !== null) ways.push((left) => takeSome(client, free, left));
        return takeEachWay(shuffled(ways), limit);
      });
    if (maxRunningPerOwner !== null) return await inTurn(asked.limit);
    if (limited.size === 0) return await freely(asked.limit);
    const [first, second] = shuffled([freely, inTurn]) as [Way<Task>, Way<Task>];
    const taken = await first(asked.limit);
    // What has been taken must not wait for its lease because of what comes then.
    const orNone: Way<Task> = (limit) =>
      taken.tasks.length === 0 ? second(limit) : second(limit).catch(() => NONE);
    return await takeEachWay([async () => taken, orNone], asked.limit);
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

/** Takes up to so many tasks. */
type Way<Task> = (limit: number) => Promise<Taken<Task>>;

const NONE: Taken<never> = { tasks: [], more: true, lastOwner: FIRST_OWNER };

/** One after the other, as far as the limit goes. */
async function takeEachWay<Task>(ways: readonly Way<Task>[], limit: number): Promise<Taken<Task>> {
  const tasks: Task[] = [];
  const all: Taken<Task>[] = [];
  for (const way of ways) {
    // A way that is not taken may lead to more.
    const taken = tasks.length === limit ? NONE : await way(limit - tasks.length);
    tasks.push(...taken.tasks);
    all.push(taken);
  }
  const fruitful = all.find((taken) => taken.tasks.length > 0);
  return {
    tasks,
    more: all.some(({ more }) => more),
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
