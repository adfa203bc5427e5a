import type { DatabaseDefinition } from '../connection.ts';
import { History } from './entities/history.ts';
import { Job } from './entities/job.ts';
import { JobType } from './entities/job-type.ts';
import { Task } from './entities/task.ts';
import { Upload } from './entities/upload.ts';
import { Migration0001JobsAndTasks } from './migrations/migration-0001-jobs-and-tasks.ts';
import { Migration0002RoundsAndHistory } from './migrations/migration-0002-rounds-and-history.ts';
import { Migration0003Progress } from './migrations/migration-0003-progress.ts';
import { Migration0004Traces } from './migrations/migration-0004-traces.ts';
import { Migration0005SeveralTasksPerHint } from './migrations/migration-0005-several-tasks-per-hint.ts';
import { Migration0006JobsInProgress } from './migrations/migration-0006-jobs-in-progress.ts';

export { HISTORY_EVENTS, History, type HistoryEvent } from './entities/history.ts';
export { JOB_STATUSES, Job, type JobStatus } from './entities/job.ts';
export { JobType } from './entities/job-type.ts';
export { type DecidedItem, TASK_STATES, Task, type TaskProgress, type TaskState } from './entities/task.ts';
export { Upload, type UploadSlice } from './entities/upload.ts';

export const jobsDatabase: DatabaseDefinition = {
  name: 'jobs',
  entities: [History, Job, JobType, Task, Upload],
  migrations: [
    { name: '0001-jobs-and-tasks', class: Migration0001JobsAndTasks },
    { name: '0002-rounds-and-history', class: Migration0002RoundsAndHistory },
    { name: '0003-progress', class: Migration0003Progress },
    { name: '0004-traces', class: Migration0004Traces },
    { name: '0005-several-tasks-per-hint', class: Migration0005SeveralTasksPerHint },
    { name: '0006-jobs-in-progress', class: Migration0006JobsInProgress },
  ],
};
