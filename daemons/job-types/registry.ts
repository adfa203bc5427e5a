import { fibonacci } from './fibonacci/index.ts';
import type { JobType } from './job-type.ts';
import { loadProducts } from './load-products/index.ts';

export {
  type ItemResult,
  type JobType,
  PermanentError,
  type RetryPolicy,
  type TaskContext,
  type TaskResult,
  type TaskServices,
  type TypeLimits,
  UnavailableError,
} from './job-type.ts';

/** The job types that come with jobber. A user's own stand in a module of theirs, named by JOBBER_JOB_TYPES. */
export const jobTypes: readonly JobType[] = [fibonacci, loadProducts];
