/** Work that arrives together is done together. */
export interface GroupCommit<Item, Result> {
  /** Resolves with the item's own result, or rejects with the error of the whole batch or of the item. */
  submit(item: Item): Promise<Result>;
  /** The same for many: their results in order; rejects with the first error of any. They may come into several batches. */
  submitAll(items: readonly Item[]): Promise<Result[]>;
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
  readonly submission: Submission<Result>;
  readonly index: number;
}

/** What was submitted at once is answered at once. */
interface Submission<Result> {
  readonly results: Result[];
  left: number;
  readonly resolve: (results: Result[]) => void;
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
      for (const [place, { submission, index }] of batch.entries()) {
        settle(submission, index, results[place] as Result | Error);
      }
    } catch (error) {
      for (const { submission } of batch) submission.reject(error);
    } finally {
      running -= 1;
      if (running === 0 && waiting.length === 0) for (const wake of idle.splice(0)) wake();
      schedule();
    }
  }

  return {
    submit(item) {
      return new Promise((resolve, reject) => {
        const resolveOne = ([result]: Result[]) => resolve(result as Result);
        waiting.push({ item, submission: { results: [], left: 1, resolve: resolveOne, reject }, index: 0 });
        schedule();
      });
    },
    submitAll(items) {
      return new Promise((resolve, reject) => {
        if (items.length === 0) resolve([]);
        const submission = { results: new Array<Result>(items.length), left: items.length, resolve, reject };
        for (const [index, item] of items.entries()) waiting.push({ item, submission, index });
        schedule();
      });
    },
    async drain() {
      if (running === 0 && waiting.length === 0) return;
      await new Promise<void>((resolve) => idle.push(resolve));
    },
  };
}

function settle<Result>(submission: Submission<Result>, index: number, result: Result | Error): void {
  if (result instanceof Error) {
    submission.reject(result);
    return;
  }
  submission.results[index] = result;
  submission.left -= 1;
  if (submission.left === 0) submission.resolve(submission.results);
}
