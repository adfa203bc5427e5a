import type { JobsServiceClient, LeasedTask, StartTaskResponse } from '@jobber/proto/jobs/v1/jobs';
import { createGroupCommit } from '@jobber/shared/group-commit';
import { deadline } from '@jobber/shared/grpc';
import type { Hint } from '@jobber/shared/hints';

/** Starts the task that a hint names. Undefined: superseded. Rejects when Jobs does not answer. */
export type StartHinted = (hint: Hint) => Promise<StartedHere | undefined>;

export interface StartedHere {
  readonly task: LeasedTask;
  /** When its lease began at the earliest, in milliseconds of `performance.now()`. */
  readonly leasedAt: number;
}

const MAX_BATCH = 200;
const CALL_MS = 5_000;

/** Hints that arrive together are asked about together: a call of its own for each costs more than its answer. */
export function createStartHinted(
  client: Pick<JobsServiceClient, 'startTasks'>,
  executorId: string,
): StartHinted {
  const starts = createGroupCommit<Hint, StartedHere | undefined>({
    maxBatch: MAX_BATCH,
    concurrency: 4,
    async run(hints) {
      const leasedAt = performance.now();
      const refs = hints.map(({ jobId, seq, attempt }) => ({ jobId, seq, attempt }));
      const results: StartTaskResponse[] = [];
      for await (const message of client.startTasks({ executorId, refs }, deadline(CALL_MS))) {
        results.push(...message.results);
      }
      return hints.map((_, index) => toStarted(results[index], leasedAt));
    },
  });
  return (hint) => starts.submit(hint);
}

function toStarted(
  response: StartTaskResponse | undefined,
  leasedAt: number,
): StartedHere | undefined | Error {
  if (response?.result?.$case === 'superseded') return undefined;
  if (response?.result?.$case !== 'task') return new Error('Jobs did not say whether it has started a task');
  return { task: response.result.value, leasedAt };
}
