import type { Session } from '../session/session.ts';
import type { JsonText } from './graphql.ts';

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

export interface Job extends JobState {
  readonly name: string;
  readonly slug: string;
  readonly owner: string;
}

export interface JobReport extends Job {
  readonly result: unknown;
  readonly counters: unknown;
  readonly errors: ItemError[];
  readonly items?: Item[];
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
}

const JOB = 'id name slug size completed failed status owner startedAt endedAt';
const ERROR = 'index reason message';

export function isTerminal(status: JobStatus): boolean {
  return status === 'COMPLETED' || status === 'FAILED' || status === 'CANCELLED';
}

/** How many items are shown unasked: those of a job that is small and has more than the one result. */
export function itemsOf({ size }: JobState): number | undefined {
  return size > 1 && size <= 20 ? size : undefined;
}

/** @param key makes the request repeatable: the same key is the same job */
export async function submitJob(
  session: Session,
  name: string,
  data: JsonText,
  key: string,
  signal?: AbortSignal,
): Promise<Job> {
  const query = `mutation Run($input: ExecuteJobInput!) { executeJob(executeJobInput: $input) { ${JOB} } }`;
  const input = { name, data, idempotencyKey: key };
  const answer = await session.call<{ executeJob: Job }>('jobs', query, { input }, { signal });
  return answer.executeJob;
}

export async function fetchJob(session: Session, id: number, signal?: AbortSignal): Promise<Job> {
  const query = `query Job($id: Float!) { job(id: $id) { ${JOB} } }`;
  return (await session.call<{ job: Job }>('jobs', query, { id }, { signal })).job;
}

/** With results, and up to `errors` failed items; with up to `items` outcomes when asked for. */
export async function fetchJobReport(
  session: Session,
  id: number,
  wanted: { errors: number; items?: number | undefined },
  signal?: AbortSignal,
): Promise<JobReport> {
  const items =
    wanted.items === undefined ? '' : `items(limit: $items) { index status result error { ${ERROR} } }`;
  const variable = wanted.items === undefined ? '' : ', $items: Int';
  const query = `query JobReport($id: Float!, $errors: Int${variable}) { job(id: $id) { ${JOB} result counters errors(limit: $errors) { ${ERROR} } ${items} } }`;
  const answer = await session.call<{ job: JobReport }>('jobs', query, { id, ...wanted }, { signal });
  return answer.job;
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

/** Cancelling twice is no error, so a lost answer is asked for again. */
export async function cancelJob(session: Session, id: number): Promise<Job> {
  const query = `mutation Cancel($id: Float!) { cancelJob(id: $id) { ${JOB} } }`;
  return (await session.call<{ cancelJob: Job }>('jobs', query, { id })).cancelJob;
}
