/** How an item ended, as it is stored. */
export interface StoredOutcome {
  /** In the job, from 0. */
  readonly index: number;
  readonly succeeded: boolean;
  readonly result: unknown;
}

/** A job as its database, or the public door, knows it after everything has come to rest. */
export interface StoredJob {
  readonly id: number;
  readonly owner: string;
  /** Undefined where it cannot be read: the public door does not tell it. */
  readonly key: string | null | undefined;
  readonly type: string;
  readonly status: string;
  readonly size: number;
  readonly completed: number;
  readonly failed: number;
  /** Milliseconds since 1970, by the database's clock. */
  readonly endedAt: number | null;
  /** 1, and one more with each redrive. */
  readonly round: number;
  /** In no order; an item that was decided twice is there twice. */
  readonly outcomes: readonly StoredOutcome[];
  /** Undefined where tasks cannot be seen. */
  readonly tasks: StoredTasks | undefined;
}

export interface StoredTasks {
  /** Tasks in a state that is not final. */
  readonly unfinished: number;
  readonly leases: number;
  readonly dead: number;
  readonly withFailures: number;
  /** Dead, but without a failed item; or with one, but not dead; or not what the job's own history says of it last. */
  readonly misreported: number;
  /** The rounds that the job's own history says were begun by a redrive, each once, ascending. */
  readonly redrivenRounds: readonly number[];
  /** Items that lie in no task, or in two. */
  readonly uncovered: number;
}

export interface StoredProduct {
  readonly id: string;
  readonly jobId: number;
  readonly name: string;
  readonly category: string;
  /** Decimals as text. */
  readonly price: string;
  readonly basePrice: string;
  readonly rating: string;
  readonly stock: number;
  readonly description: string;
  readonly sku: string | null;
}

/** One line of Products' ledger. */
export interface StoredEffect {
  readonly jobId: number;
  readonly itemIndex: number;
  readonly productId: string;
  readonly created: boolean;
}

/** How the public door answers for a job, beside what is stored. */
export interface PublicJob {
  readonly id: number;
  readonly status: string;
  readonly size: number;
  readonly completed: number;
  readonly failed: number;
}

/** A topic of the broker at rest. */
export interface StoredTopic {
  readonly name: string;
  /** Messages that nobody has acknowledged. */
  readonly backlog: number;
}

export interface Evidence {
  /** Undefined where there is no broker, or it cannot be asked. */
  readonly topics?: readonly StoredTopic[] | undefined;
  readonly jobs: readonly StoredJob[];
  /** Undefined where the catalog cannot be read. */
  readonly products: readonly StoredProduct[] | undefined;
  /** Undefined where the ledger cannot be read. */
  readonly effects: readonly StoredEffect[] | undefined;
  /** Ids of all users; undefined where they cannot be read. */
  readonly users: ReadonlySet<string> | undefined;
  /** What `job` answers; a text is the reason why it does not. */
  readonly publicJobs: ReadonlyMap<number, PublicJob | string>;
}
