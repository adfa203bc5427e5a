import { type Identity, requirePermission } from '@jobber/shared/auth-guard';
import { AppError } from '@jobber/shared/errors';
import type { Pool } from 'pg';
import { type AnswerTime, startAnswerTime, timeForTasks } from '../answer-in-time.ts';
import type { JobView } from '../job-view.ts';
import type { ReadJob } from './read-jobs.ts';
import type { StartRounds } from './start-rounds.ts';

/**
 * Starts a new round of a job that has failed, with all of its failed items.
 * @throws AppError 404 JOB_NOT_FOUND, 403 FORBIDDEN, 409 NOT_RETRYABLE,
 *   503 UNAVAILABLE when it is not known in time whether the round has begun
 */
export type RetryJob = (identity: Identity, id: number, time?: AnswerTime) => Promise<JobView>;

const FIND_DEAD_TASKS = `select seq from task where job_id = $1 and state = 'dead' order by seq`;

export function createRetryJob(parts: { pool: Pool; readJob: ReadJob; startRounds: StartRounds }): RetryJob {
  const { pool, readJob, startRounds } = parts;
  return async function retryJob(identity, id, time = startAnswerTime()) {
    const job = await time.wait(readJob(identity, id));
    requirePermission(identity, job.ownerId === identity.userId ? 'jobs:retry' : 'jobs:retry:any');
    if (job.status !== 'FAILED')
      throw notRetryable(job, `it is ${job.status}; only a job that has FAILED can be`);
    const { rows } = await time.wait(pool.query<{ seq: number }>(FIND_DEAD_TASKS, [id]));
    const tasks = rows.map(({ seq }) => ({ jobId: id, seq }));
    const starting = startRounds(tasks, { by: identity.userId, dryRun: false });
    const { results, jobs } = await timeForTasks(tasks.length, time).wait(starting);
    const [begun] = jobs;
    if (begun) return begun;
    const refusal = results[0]?.refusal;
    if (refusal === 'INPUT_GONE') throw notRetryable(job, 'the file that its items are in is no longer kept');
    if (refusal === 'UNIQUE_CONFLICT')
      throw notRetryable(job, 'an unfinished job is unique for the same; wait until it has ended');
    // Somebody else was faster.
    return await time.wait(readJob(identity, id));
  };
}

function notRetryable({ id, status }: JobView, why: string): AppError {
  return new AppError('NOT_RETRYABLE', `Job with ID ${id} can't be retried: ${why}`, { status });
}
