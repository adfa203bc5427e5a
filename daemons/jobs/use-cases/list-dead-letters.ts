import type { Identity } from '@jobber/shared/auth-guard';
import { AppError, refuse } from '@jobber/shared/errors';
import { checkLimit } from '@jobber/shared/paging';
import type { Pool } from 'pg';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import type { TaskRef } from '../transitions/redrive-tasks.ts';
import {
  DEAD_LETTER_COLUMNS,
  type DeadLetterRow,
  type DeadLetterView,
  deadLetterId,
  parseDeadLetterId,
  toDeadLetterView,
} from './dead-letter-view.ts';
import { type DeadLetterFilter, deadLetterCondition } from './find-dead-letters.ts';
import { maySee, ownerOf } from './owner-of.ts';

export interface DeadLettersPage {
  readonly filter: DeadLetterFilter;
  /** 1 to 200. */
  readonly limit: number;
  /** Id of the last dead letter of the page before. */
  readonly before?: string;
}

interface Parts {
  readonly pool: Pool;
  readonly catalog: JobTypeCatalog;
}

const MAX_LIMIT = 200;

/**
 * Dead letters, those that died last first, a page at a time.
 * @throws AppError 400 INVALID_INPUT, 403 FORBIDDEN, 404 JOB_TYPE_NOT_FOUND
 */
export async function listDeadLetters(
  { pool, catalog }: Parts,
  identity: Identity,
  { filter, limit, before }: DeadLettersPage,
): Promise<DeadLetterView[]> {
  checkLimit(limit, MAX_LIMIT);
  const condition = await deadLetterCondition(catalog, ownerOf(identity, filter, 'jobs:read'), filter);
  const { values } = condition;
  let { sql } = condition;
  if (before !== undefined) {
    const last = await findDeadLetter(pool, parseDeadLetterId(before));
    if (!last || !maySee(identity, last))
      refuse('INVALID_INPUT', `before must name a dead letter; ${before} is none (any more)`);
    values.push(last.jobId, last.seq);
    const [jobId, seq] = [`$${values.length - 1}::bigint`, `$${values.length}::int`];
    sql += ` and (task.died_at, task.job_id, task.seq) <
      ((select died_at from task where job_id = ${jobId} and seq = ${seq}), ${jobId}, ${seq})`;
  }
  values.push(limit);
  const { rows } = await pool.query<DeadLetterRow>(
    `select ${DEAD_LETTER_COLUMNS} from task where ${sql}
     order by task.died_at desc, task.job_id desc, task.seq desc limit $${values.length}`,
    values,
  );
  return rows.map(toDeadLetterView);
}

/** @throws AppError 400 INVALID_INPUT, 404 NOT_FOUND: the same for one that is missing and one that is another user's */
export async function readDeadLetter(
  { pool }: Pick<Parts, 'pool'>,
  identity: Identity,
  id: string,
): Promise<DeadLetterView> {
  const ref = parseDeadLetterId(id);
  const letter = await findDeadLetter(pool, ref);
  if (letter && maySee(identity, letter)) return letter;
  throw new AppError('NOT_FOUND', `Dead letter ${deadLetterId(ref)} not found`);
}

async function findDeadLetter(pool: Pool, { jobId, seq }: TaskRef): Promise<DeadLetterView | undefined> {
  const { rows } = await pool.query<DeadLetterRow>(
    `select ${DEAD_LETTER_COLUMNS} from task where task.job_id = $1 and task.seq = $2 and task.state = 'dead'`,
    [jobId, seq],
  );
  return rows[0] && toDeadLetterView(rows[0]);
}
