/** What waits in a line. */
export interface InLine {
  /** UUID of the user whose task it is. */
  readonly ownerId: string;
  /** Where it stands; the line sets it. */
  rank: number;
}

/**
 * A line in which owners take turns. An executor holds hundreds of tasks while they are quick; when slow ones of one owner come
 * then, nobody else's waits for all of them.
 */
export interface FairLine<Item extends InLine> {
  readonly length: number;
  first(): Item | undefined;
  /** Behind the owner's own, and behind as many of each other owner's. */
  add(item: Item): void;
  /** To the front, where it was taken from. */
  putBack(item: Item): void;
  /** Takes the first ones, up to so many, as far as they fit. */
  take(most: number, fits?: (item: Item) => boolean): Item[];
  remove(item: Item): void;
}

export function createFairLine<Item extends InLine>(): FairLine<Item> {
  /** In the order of ranks. */
  const line: Item[] = [];
  /** The highest rank of each owner who is in the line. */
  const highest = new Map<string, number>();
  /** The highest one that was taken. */
  let reached = 0;

  function tidy(): void {
    if (line.length === 0) highest.clear();
  }

  return {
    get length() {
      return line.length;
    },
    first: () => line[0],
    add(item) {
      item.rank = Math.max(reached, highest.get(item.ownerId) ?? 0) + 1;
      highest.set(item.ownerId, item.rank);
      const before = line.findLastIndex(({ rank }) => rank <= item.rank);
      line.splice(before + 1, 0, item);
    },
    putBack(item) {
      line.unshift(item);
    },
    take(most, fits = () => true) {
      const end = line.findIndex((item, index) => index >= most || !fits(item));
      const taken = line.splice(0, end < 0 ? line.length : end);
      for (const { rank } of taken) reached = Math.max(reached, rank);
      tidy();
      return taken;
    },
    remove(item) {
      const at = line.indexOf(item);
      if (at >= 0) line.splice(at, 1);
      tidy();
    },
  };
}
