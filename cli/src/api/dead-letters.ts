import type { Session } from '../session/session.ts';
import { EVENT, type JobEvent } from './job-history.ts';
import { ERROR, type ItemError, JOB, type Job } from './jobs.ts';

/** A task of which items failed for good. */
export interface DeadLetter {
  /** The job's id and the task's number: 12/3 */
  readonly id: string;
  readonly task: number;
  readonly name: string;
  /** Executions in all rounds. */
  readonly attempts: number;
  readonly round: number;
  readonly diedAt: string;
  readonly reason: string;
  readonly message: string;
  readonly failed: number;
  readonly job: Pick<Job, 'owner'>;
}

export interface DeadLetterReport extends Omit<DeadLetter, 'job'> {
  readonly job: Job;
  readonly errors: ItemError[];
  /** By item index; null when it is no longer kept. */
  readonly input: unknown;
  readonly history: JobEvent[];
}

export interface DeadLetterFilter {
  readonly type?: string[];
  readonly job?: number[];
  readonly diedAfter?: string;
  readonly diedBefore?: string;
  readonly error?: string;
  readonly owner?: string;
  readonly allOwners?: boolean;
}

/** Which dead letters are run again: those named, or those that match. */
export type RedriveChoice =
  | { readonly ids: readonly string[] }
  | {
      readonly filter: DeadLetterFilter;
      /** Only those of jobs after the one with this id. */
      readonly after?: number;
      readonly all: boolean;
    };

export interface Redrive {
  readonly matched: number;
  readonly redriven: number;
  readonly items: number;
  /** At most the first 1,000. */
  readonly jobs: readonly number[];
  /** At most the first 100. */
  readonly refused: readonly RefusedRedrive[];
  readonly remaining: number;
}

/** What one request has done. */
export interface RedriveAnswer extends Redrive {
  /** Id of the last job that was looked at; null: of none. */
  readonly last: number | null;
}

export interface RefusedRedrive {
  readonly id: string;
  readonly reason: string;
  readonly message: string;
}

const LETTER = 'id task name attempts round diedAt reason message failed';

export async function fetchDeadLetters(
  session: Session,
  variables: { filter: DeadLetterFilter; limit: number; before?: string | undefined },
): Promise<DeadLetter[]> {
  const query = `query DeadLetters($filter: DeadLetterFilter, $limit: Int, $before: ID) { deadLetters(filter: $filter, limit: $limit, before: $before) { ${LETTER} job { owner } } }`;
  return (await session.call<{ deadLetters: DeadLetter[] }>('jobs', query, variables)).deadLetters;
}

/** The first 200. */
export async function fetchIdsOfJob(session: Session, job: Pick<Job, 'id' | 'owner'>): Promise<string[]> {
  const query =
    'query DeadLetterIds($filter: DeadLetterFilter) { deadLetters(filter: $filter, limit: 200) { id } }';
  const filter: DeadLetterFilter = { job: [job.id], owner: job.owner };
  const answer = await session.call<{ deadLetters: { id: string }[] }>('jobs', query, { filter });
  return answer.deadLetters.map(({ id }) => id);
}

/** With up to `limit` failed items, their input, and events. */
export async function fetchDeadLetter(
  session: Session,
  id: string,
  limit: number,
): Promise<DeadLetterReport> {
  const query = `query DeadLetter($id: ID!, $limit: Int) { deadLetter(id: $id) { ${LETTER} job { ${JOB} } errors(limit: $limit) { ${ERROR} } input(limit: $limit) history(limit: $limit) { ${EVENT} } } }`;
  return (await session.call<{ deadLetter: DeadLetterReport }>('jobs', query, { id, limit })).deadLetter;
}

/** One request: up to 10,000 dead letters. A lost answer is not asked for again: the second would tell of others. */
export async function redriveOnce(
  session: Session,
  choice: RedriveChoice,
  { dryRun, signal }: { dryRun: boolean; signal?: AbortSignal },
): Promise<RedriveAnswer> {
  const query = `mutation Redrive($ids: [ID!], $filter: DeadLetterFilter, $after: Float, $all: Boolean, $dryRun: Boolean) { redriveDeadLetters(ids: $ids, filter: $filter, after: $after, all: $all, dryRun: $dryRun) { matched redriven items jobs refused { id reason message } remaining last } }`;
  const variables = { ...choice, dryRun };
  const options = { repeatable: dryRun, signal };
  return (await session.call<{ redriveDeadLetters: RedriveAnswer }>('jobs', query, variables, options))
    .redriveDeadLetters;
}
