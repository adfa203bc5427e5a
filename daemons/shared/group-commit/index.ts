/** Work that arrives together is done together. */
export interface GroupCommit<Item, Result> {
  /** Resolves with the item's own result, or rejects with the error of the whole batch or of the item. */
  submit(item: Item): Promise<Result>;
  /** Resolves when everything submitted so far has been done. */
  drain(): Promise<void>;
}

export interface GroupCommitOptions<Item, Result> {
  /** Does a batch and returns one result per item, in order. An `Error` as a result rejects that item only. */
  readonly run: (items: readonly Item[]) => Promise<readonly (Result | Error)[]>;
  /** Weight of one batch at most; an item that weighs more is a batch by itself. */
  readonly maxBatch: number;
  /** What an item adds to its batch; by default each weighs 1. */
  readonly weigh?: (item: Item) => number;
  /** Batches that run at the same time at most. */
  readonly concurrency: number;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Collects items while earlier batches are being written and writes them in one go afterwards (the group commit of
 * databases). An idle group commit starts at the end of the current turn of the event loop: nothing waits for a timer.
 */
export function createGroupCommit<Item, Result>(
  options: GroupCommitOptions<Item, Result>,
): GroupCommit<Item, Result> {
  const weigh = options.weigh ?? (() => 1);
  let waiting: Waiting<Item, Result>[] = [];
  let running = 0;
  let scheduled = false;
  const idle: (() => void)[] = [];

  function schedule(): void {
    if (scheduled || running >= options.concurrency || waiting.length === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      while (running < options.concurrency && waiting.length > 0) {
        const size = nextBatch();
        const batch = waiting.slice(0, size);
        waiting = waiting.slice(size);
        void runBatch(batch);
      }
    });
  }

  /** How many of those that wait come next. */
  function nextBatch(): number {
    let weight = 0;
    const first = waiting.findIndex(({ item }, index) => {
      weight += weigh(item);
      return index > 0 && weight > options.maxBatch;
    });
    return first === -1 ? waiting.length : first;
  }

  async function runBatch(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    running += 1;
    try {
      const results = await options.run(batch.map(({ item }) => item));
      batch.forEach(({ resolve, reject }, index) => {
        const result = results[index];
        if (result instanceof Error) reject(result);
        else resolve(result as Result);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      running -= 1;
      if (running === 0 && waiting.length === 0) for (const wake of idle.splice(0)) wake();
      schedule();
    }
  }

  return {
    submit(item) {
      return new Promise<Result>((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        schedule();
      });
    },
    async drain() {
      if (running === 0 && waiting.length === 0) return;
      await new Promise<void>((resolve) => idle.push(resolve));
    },
  };
}
