/** One attempt of one task. `attempt` is the fencing token: a transition that names an older one changes nothing. */
export interface AttemptRef {
  readonly jobId: number;
  readonly seq: number;
  readonly attempt: number;
}

/** The columns of attempts as arrays, for `unnest`. */
export function columnsOf(refs: readonly AttemptRef[]): [number[], number[], number[]] {
  return [refs.map((ref) => ref.jobId), refs.map((ref) => ref.seq), refs.map((ref) => ref.attempt)];
}

export function keyOf({ jobId, seq }: { jobId: number; seq: number }): string {
  return `${jobId}/${seq}`;
}
