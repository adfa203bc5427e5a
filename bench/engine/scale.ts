/** How much is done. */
export interface Scale {
  readonly jobs: number;
  readonly submitters: number;
  /** How often each rate is measured; the median counts. */
  readonly rounds: number;
  /** Latencies that count, and those before that don't. */
  readonly samples: number;
  readonly warmUp: number;
  /** Jobs of one rate beside stored jobs. */
  readonly jobsBesideStored: number;
  readonly finished: number;
  readonly waiting: number;
  /** Of all combinations of filters every so many-th is asked. */
  readonly everyNthList: number;
  /** Requests for each list whose p95 is given. */
  readonly requests: number;
  /** Whether stored jobs are measured on a platform of their own, whose tables are empty before. */
  readonly freshForStored: boolean;
  /** Before memory is looked at, in milliseconds. */
  readonly settleMs: number;
}

export const FULL: Scale = {
  jobs: 20_000,
  submitters: 64,
  rounds: 3,
  samples: 200,
  warmUp: 20,
  jobsBesideStored: 5_000,
  finished: 1_000_000,
  waiting: 100_000,
  everyNthList: 1,
  requests: 100,
  freshForStored: true,
  settleMs: 60_000,
};

/** Some seconds: shows that every measurement works, and says nothing about speed. */
export const QUICK: Scale = {
  jobs: 200,
  submitters: 16,
  rounds: 1,
  samples: 5,
  warmUp: 1,
  jobsBesideStored: 100,
  finished: 2_000,
  waiting: 200,
  everyNthList: 100,
  requests: 2,
  freshForStored: false,
  settleMs: 0,
};
