import type { Session } from '../session/session.ts';
import type { JsonText } from './graphql.ts';
import { EVENT, type JobEvent } from './job-history.ts';
import { RUNNING_TASK, type RunningTask } from './running-tasks.ts';

export type JobStatus =
  | 'IN_PROGRESS'
  | 'COMPLETED'
  | 'FAILED'
  | 'SCHEDULED'
  | 'AWAITING_APPROVAL'
  | 'CANCELLED';

export const JOB_STATUSES: readonly JobStatus[] = [
  'IN_PROGRESS',
  'COMPLETED',
  'FAILED',
  'SCHEDULED',
  'AWAITING_APPROVAL',
  'CANCELLED',
];

/** What changes while a job runs. */
export interface JobState {
  readonly id: number;
  readonly status: JobStatus;
  readonly size: number;
  readonly completed: number;
  readonly failed: number;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

/** What a job was submitted with, besides its items; null and empty: as its type says. */
export interface Job extends JobState {
  readonly name: string;
  readonly slug: string;
  readonly owner: string;
  readonly runAt: string | null;
  readonly priority: number;
  /** Of one attempt, in milliseconds. */
  readonly timeout: number | null;
  readonly maxAttempts: number | null;
  /** Before the second attempt, in milliseconds. */
  readonly backoff: number | null;
  readonly uniqueFor: string | null;
  readonly tags: readonly string[];
  readonly round: number;
}

/** `existing`: the request made no job, because of its idempotency key or of what it is unique for. */
export type SubmittedJob = Job & { readonly existing: boolean };

/** Durations in milliseconds; what is left out is as the job type says. */
export interface JobOptions {
  readonly runAt?: string;
  readonly delay?: number;
  readonly priority?: number;
  readonly timeout?: number;
  readonly maxAttempts?: number;
  readonly backoff?: number;
  readonly uniqueFor?: string;
  readonly tags?: readonly string[];
}

export interface Submission {
  readonly name: string;
  readonly data: JsonText;
  /** Makes the request repeatable: the same key is the same job. */
  readonly key: string;
  readonly options?: JobOptions | undefined;
}

export interface JobReport extends Job {
  readonly result: unknown;
  readonly counters: unknown;
  readonly errors: ItemError[];
  readonly items?: Item[];
  /** The first tasks that run, by number: at most `MOST_RUNNING`. */
  readonly running: RunningTask[];
  /** The latest of what did not go straight, oldest first. */
  readonly history: JobEvent[];
  /** Of how many; Jobs counts at most 1,000,000. */
  readonly historySize: number;
}

export interface ItemError {
  readonly index: number;
  readonly reason: string;
  readonly message: string;
}

export interface Item {
  readonly index: number;
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly result: unknown;
  readonly error: ItemError | null;
}

export interface JobTypeInfo {
  readonly name: string;
  readonly slug: string;
  readonly description: string;
  readonly version: number;
  readonly inputSchema: unknown;
  readonly defaultItem: unknown;
  readonly available: boolean;
}

export interface JobFilter {
  readonly status?: string[];
  readonly type?: string[];
  readonly owner?: string;
  readonly allOwners?: boolean;
  readonly startedAfter?: string;
  readonly startedBefore?: string;
  readonly tags?: string[];
}

export const JOB =
  'id name slug size completed failed status owner startedAt endedAt runAt priority timeout maxAttempts backoff uniqueFor tags round';
export const ERROR = 'index reason message';

export function isTerminal(status: JobStatus): boolean {
  return status === 'COMPLETED' || status === 'FAILED' || status === 'CANCELLED';
}

/** How many events of a job's history are shown unasked: the latest. */
export const LATEST_EVENTS = 10;

/** How many running tasks are asked for. */
export const MOST_RUNNING = 100;

/** How many items are shown unasked: those of a job that is small and has more than the one result. */
export function itemsOf({ size }: JobState): number | undefined {
  return size > 1 && size <= 20 ? size : undefined;
}

export async function submitJob(session: Session, submission: Submission): Promise<SubmittedJob> {
  const query = `mutation Run($input: ExecuteJobInput!) { executeJob(executeJobInput: $input) { ${JOB} existing } }`;
  const { name, data, key, options } = submission;
  const input = { name, data, idempotencyKey: key, ...options };
  return (await session.call<{ executeJob: SubmittedJob }>('jobs', query, { input })).executeJob;
}

export async function fetchJob(session: Session, id: number, signal?: AbortSignal): Promise<Job> {
  const query = `query Job($id: Float!) { job(id: $id) { ${JOB} } }`;
  return (await session.call<{ job: Job }>('jobs', query, { id }, { signal })).job;
}

/** With results, up to `errors` failed items and the latest `history` events; with up to `items` outcomes when asked for. */
export async function fetchJobReport(
  session: Session,
  id: number,
  wanted: { errors: number; items?: number | undefined; history?: number },
  signal?: AbortSignal,
): Promise<JobReport> {
  const items =
    wanted.items === undefined ? '' : `items(limit: $items) { index status result error { ${ERROR} } }`;
  const variable = wanted.items === undefined ? '' : ', $items: Int';
  const query = `query JobReport($id: Float!, $errors: Int, $history: Int${variable}) { job(id: $id) { ${JOB} result counters errors(limit: $errors) { ${ERROR} } ${items} running(limit: ${MOST_RUNNING}) { ${RUNNING_TASK} } history(limit: $history, newestFirst: true) { ${EVENT} } historySize } }`;
  const variables = { id, history: LATEST_EVENTS, ...wanted };
  const answer = await session.call<{ job: JobReport }>('jobs', query, variables, { signal });
  return { ...answer.job, history: answer.job.history.toReversed() };
}

export async function fetchJobs(
  session: Session,
  variables: { filter: JobFilter; limit: number; before?: number | undefined },
): Promise<Job[]> {
  const query = `query Jobs($filter: JobFilter, $limit: Int, $before: Float) { jobs(filter: $filter, limit: $limit, before: $before) { ${JOB} } }`;
  return (await session.call<{ jobs: Job[] }>('jobs', query, variables)).jobs;
}

export async function fetchJobTypes(session: Session): Promise<JobTypeInfo[]> {
  const query =
    'query JobTypes { jobsMetadata { name slug description version inputSchema defaultItem available } }';
  return (await session.call<{ jobsMetadata: JobTypeInfo[] }>('jobs', query)).jobsMetadata;
}

/** Retrying twice is refused the second time, so a lost answer is not asked for again. */
export async function retryJob(session: Session, id: number): Promise<Job> {
  const query = `mutation Retry($id: Float!) { retryJob(id: $id) { ${JOB} } }`;
  return (await session.call<{ retryJob: Job }>('jobs', query, { id }, { repeatable: false })).retryJob;
}

/** Cancelling twice is no error, so a lost answer is asked for again. */
export async function cancelJob(session: Session, id: number): Promise<Job> {
  const query = `mutation Cancel($id: Float!) { cancelJob(id: $id) { ${JOB} } }`;
  return (await session.call<{ cancelJob: Job }>('jobs', query, { id })).cancelJob;
}
