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
  first(): Item | undefined;
  add(item: Item): void;
  /** To the front, where it was taken from. */
  putBack(item: Item): void;
  /** Takes the first ones, up to so many, as far as they fit. */
  take(most: number, fits?: (item: Item) => boolean): Item[];
  remove(item: Item): void;
}

export function createFairLine<Item extends InLine>(): FairLine<Item> {
  const returned: Item[] = [];
  /** Whose turn is next comes first; none is empty. */
  const owners = new Map<string, Map<number, Item[]>>();
  let length = 0;

  function first(): Item | undefined {
    if (returned.length > 0) return returned[0];
    for (const jobs of owners.values()) for (const items of jobs.values()) return items[0];
    return undefined;
  }

  function takeFirst(): void {
    length -= 1;
    if (returned.shift() !== undefined) return;
    for (const [ownerId, jobs] of owners) {
      for (const [jobId, items] of jobs) {
        items.shift();
        endTurn(jobs, jobId, items.length === 0);
        break;
      }
      endTurn(owners, ownerId, jobs.size === 0);
      return;
    }
  }

  return {
    get length() {
      return length;
    },
    first,
    add(item) {
      length += 1;
      const jobs = owners.get(item.ownerId) ?? new Map<number, Item[]>();
      const items = jobs.get(item.jobId) ?? [];
      items.push(item);
      if (items.length === 1) jobs.set(item.jobId, items);
      if (jobs.size === 1) owners.set(item.ownerId, jobs);
    },
    putBack(item) {
      length += 1;
      returned.unshift(item);
    },
    take(most, fits = () => true) {
      const taken: Item[] = [];
      for (let item = first(); item && taken.length < most && fits(item); item = first()) {
        takeFirst();
        taken.push(item);
      }
      return taken;
    },
    remove(item) {
      const jobs = owners.get(item.ownerId);
      const items = jobs?.get(item.jobId);
      if (!leave(returned, item) && !(items && leave(items, item))) return;
      length -= 1;
      if (items?.length === 0) jobs?.delete(item.jobId);
      if (jobs?.size === 0) owners.delete(item.ownerId);
    },
  };
}

/** Whoever has had its turn stands at the end, unless nothing of it is left. */
function endTurn<Key, Waiting>(rotation: Map<Key, Waiting>, key: Key, isEmpty: boolean): void {
  if (!isEmpty && rotation.size === 1) return;
  const waiting = rotation.get(key) as Waiting;
  rotation.delete(key);
  if (!isEmpty) rotation.set(key, waiting);
}

function leave<Item>(items: Item[], item: Item): boolean {
  const at = items.indexOf(item);
  if (at >= 0) items.splice(at, 1);
  return at >= 0;
}
