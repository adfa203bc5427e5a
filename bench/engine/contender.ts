/** One run of many jobs: seconds since the first submission. */
export interface Run {
  /** Until the last job was accepted. */
  readonly accepted: number;
  /** Until all were durably completed, by the contender's own state. */
  readonly done: number;
  /** Share of one core that the submitting process took, 0 to 1. */
  readonly clientCpu: number;
}

/** Who does the same work in turns: jobber through its public door, the peers in a process of their own. */
export interface Contender {
  readonly name: string;
  /** `count` no-op jobs, one request or call each, by so many submitters at the same time. */
  oneByOne(count: number, submitters: number): Promise<Run>;
  /** `count` no-op jobs by the contender's way for many. */
  bulk(count: number): Promise<Run>;
  /** One job at a time: milliseconds from the submission until it is known to be durably completed. */
  latencies(samples: number, warmUp: number): Promise<number[]>;
}
