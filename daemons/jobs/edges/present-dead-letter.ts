import type { Identity } from '@jobber/shared/auth-guard';
import { AppError, refuse } from '@jobber/shared/errors';
import type { Context } from 'hono';
import type { Pool } from 'pg';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import type { ObjectStorage } from '../uploads/object-storage.ts';
import { type DeadLetterView, deadLetterId } from '../use-cases/dead-letter-view.ts';
import { readHistory } from '../use-cases/read-history.ts';
import type { ReadJob } from '../use-cases/read-jobs.ts';
import { readTaskErrors } from '../use-cases/read-task-errors.ts';
import { readFailedInput } from '../use-cases/read-task-input.ts';
import type { PresentJob } from './present-job.ts';

/** A dead letter as GraphQL shows it; what costs a query of its own is read only where it was asked for. */
export type PresentDeadLetter = (letter: DeadLetterView, identity: Identity, c: Context) => Promise<object>;

const MAX_LIMIT = 1_000;
/** Dead letters of one answer whose input is told: each may be megabytes. */
const MAX_INPUTS = 20;

export function createDeadLetterPresenter(
  parts: { pool: Pool; catalog: JobTypeCatalog; storage: ObjectStorage; readJob: ReadJob },
  presentJob: PresentJob,
): PresentDeadLetter {
  const { pool, catalog, readJob } = parts;
  const inputs = new WeakMap<Context, number>();

  function countInput(c: Context): void {
    const count = (inputs.get(c) ?? 0) + 1;
    inputs.set(c, count);
    if (count > MAX_INPUTS) {
      throw new AppError('TOO_LARGE', `One answer tells the input of at most ${MAX_INPUTS} dead letters`, {
        limit: MAX_INPUTS,
      });
    }
  }

  return async function presentDeadLetter(letter, identity, c) {
    const { jobId, seq, type } = letter;
    const job = await readJob(identity, jobId);
    return {
      ...letter,
      id: deadLetterId(letter),
      job: () => presentJob(job, c),
      task: seq,
      name: (await catalog.bySlug(type))?.type.name ?? type,
      round: job.round,
      errors: ({ limit }: { limit: number }) => readTaskErrors(pool, letter, checkLimit(limit)),
      async input({ limit }: { limit: number }) {
        countInput(c);
        return await readFailedInput(parts, letter, checkLimit(limit));
      },
      history: ({ limit }: { limit: number }) => readHistory(pool, { jobId, seq, limit }),
    };
  };
}

function checkLimit(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  return refuse('INVALID_INPUT', `limit must be a whole number from 1 to ${MAX_LIMIT}, got ${limit}`, {
    limit: MAX_LIMIT,
  });
}
