import type { Identity } from '@jobber/shared/auth-guard';
import { checkLimit } from '@jobber/shared/paging';
import type { Context } from 'hono';
import type { Pool } from 'pg';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import type { ObjectStorage } from '../uploads/object-storage.ts';
import { type DeadLetterView, deadLetterId } from '../use-cases/dead-letter-view.ts';
import { readHistory } from '../use-cases/read-history.ts';
import type { ReadJob } from '../use-cases/read-jobs.ts';
import { readTaskErrors } from '../use-cases/read-task-errors.ts';
import { readFailedInput } from '../use-cases/read-task-input.ts';
import type { AnswerBudget } from './answer-budget.ts';
import type { JobPresenter } from './present-job.ts';

/** A dead letter as GraphQL shows it; what costs a query of its own is read only where it was asked for. */
export type PresentDeadLetter = (letter: DeadLetterView, identity: Identity, c: Context) => Promise<object>;

const MAX_LIMIT = 1_000;
export function createDeadLetterPresenter(
  parts: { pool: Pool; catalog: JobTypeCatalog; storage: ObjectStorage; readJob: ReadJob },
  presentJob: JobPresenter['presentJob'],
  budgetOf: (c: Context) => AnswerBudget,
): PresentDeadLetter {
  const { pool, catalog, readJob } = parts;

  return async function presentDeadLetter(letter, identity, c) {
    const { jobId, seq, type } = letter;
    const job = await readJob(identity, jobId);
    const budget = budgetOf(c);
    return {
      ...letter,
      id: deadLetterId(letter),
      job: () => presentJob(job),
      task: seq,
      name: (await catalog.bySlug(type))?.type.name ?? type,
      round: job.round,
      errors: ({ limit }: { limit: number }) =>
        budget.read(() => readTaskErrors(pool, letter, checkLimit(limit, MAX_LIMIT))),
      input: ({ limit }: { limit: number }) =>
        budget.read((maxBytes) =>
          readFailedInput(parts, letter, { limit: checkLimit(limit, MAX_LIMIT), maxBytes }),
        ),
      history: ({ limit }: { limit: number }) => budget.read(() => readHistory(pool, { jobId, seq, limit })),
    };
  };
}
