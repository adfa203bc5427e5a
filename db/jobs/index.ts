import type { DatabaseDefinition } from '../connection.ts';
import { Job } from './entities/job.ts';
import { JobType } from './entities/job-type.ts';
import { Task } from './entities/task.ts';
import { Upload } from './entities/upload.ts';
import { Migration0001JobsAndTasks } from './migrations/migration-0001-jobs-and-tasks.ts';

export { JOB_STATUSES, Job, type JobStatus } from './entities/job.ts';
export { JobType } from './entities/job-type.ts';
export { type DecidedItem, TASK_STATES, Task, type TaskState } from './entities/task.ts';
export { Upload, type UploadSlice } from './entities/upload.ts';

export const jobsDatabase: DatabaseDefinition = {
  name: 'jobs',
  entities: [Job, JobType, Task, Upload],
  migrations: [{ name: '0001-jobs-and-tasks', class: Migration0001JobsAndTasks }],
};
