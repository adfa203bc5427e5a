/** What waits in a line. */
export interface InLine {
  /** UUID of the user whose task it is. */
  readonly ownerId: string;
  readonly jobId: number;
}

/**
 * A line in which owners take turns, and of each owner its jobs. An executor holds hundreds of tasks while they are quick; when
 * slow ones of one job come then, no other owner's and no other job's waits for all of them.
 */
export interface FairLine<Item extends InLine> {
  readonly length: number;
  /** Whose turn is next. */
  first(): Item | undefined;
  add(item: Item): void;
  /** Before all others of its job. */
  putBack(item: Item): void;
  /**
   * Takes up to so many, in turn. Of a job all fit or none; a job that does not is passed over, and its turn is next after that,
   * also when others of its owner were taken.
   */
  take(most: number, fits?: (item: Item) => boolean): Item[];
  remove(item: Item): void;
}

export function createFairLine<Item extends InLine>(): FairLine<Item> {
  /** By owner and job. Whose turn is next comes first; none is empty. */
  const owners = new Map<string, Map<number, Item[]>>();
  let length = 0;

  function next(fits: (item: Item) => boolean): Item | undefined {
    for (const jobs of owners.values()) {
      for (const [first] of jobs.values()) if (first !== undefined && fits(first)) return first;
    }
    return undefined;
  }

  /** Where others of its job wait. */
  function enter({ ownerId, jobId }: Item): Item[] {
    length += 1;
    const jobs = owners.get(ownerId) ?? new Map<number, Item[]>();
    owners.set(ownerId, jobs);
    const items = jobs.get(jobId) ?? [];
    jobs.set(jobId, items);
    return items;
  }

  function remove(item: Item): void {
    const { ownerId, jobId } = item;
    const jobs = owners.get(ownerId);
    const items = jobs?.get(jobId);
    const at = items?.indexOf(item) ?? -1;
    if (!jobs || !items || at < 0) return;
    length -= 1;
    items.splice(at, 1);
    if (items.length === 0) jobs.delete(jobId);
    if (jobs.size === 0) owners.delete(ownerId);
  }

  return {
    get length() {
      return length;
    },
    first: () => next(() => true),
    add(item) {
      enter(item).push(item);
    },
    putBack(item) {
      enter(item).unshift(item);
    },
    take(most, fits = () => true) {
      const taken: Item[] = [];
      const served = new Set<string>();
      const passedOver = new Set<string>();
      while (taken.length < most) {
        const item = next(fits);
        if (item === undefined) break;
        const { ownerId, jobId } = item;
        if (isFirst(owners.get(ownerId), jobId)) served.add(ownerId);
        else if (!served.has(ownerId)) passedOver.add(ownerId);
        remove(item);
        toEnd(owners, ownerId);
        toEnd(owners.get(ownerId), jobId);
        taken.push(item);
      }
      if (passedOver.size > 0) {
        for (const ownerId of [...owners.keys()]) if (!passedOver.has(ownerId)) toEnd(owners, ownerId);
      }
      return taken;
    },
    remove,
  };
}

function isFirst<Key>(rotation: Map<Key, unknown> | undefined, key: Key): boolean {
  return rotation?.keys().next().value === key;
}

/** Whoever has had its turn stands behind the others, if anything of it is left. */
function toEnd<Key, Waiting>(rotation: Map<Key, Waiting> | undefined, key: Key): void {
  const waiting = rotation?.get(key);
  if (waiting === undefined) return;
  rotation?.delete(key);
  rotation?.set(key, waiting);
}
