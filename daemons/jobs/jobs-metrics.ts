import { Counter, DURATION_BUCKETS, Gauge, Histogram, type Registry } from '@jobber/shared/telemetry';
import type { Pool } from 'pg';
import { countUnfinishedTasks, type TaskCount } from './transitions/count-unfinished-tasks.ts';

export interface JobsMetrics {
  readonly jobsAccepted: Counter<'type'>;
  readonly jobsEnded: Counter<'status'>;
  readonly tasksClaimed: Counter<'type'>;
  readonly attemptsEnded: Counter<'outcome'>;
  readonly tasksRescued: Counter<'type'>;
  readonly hintsPublished: Counter<'type'>;
  readonly hintsUnconfirmed: Counter<'type'>;
  readonly hintsLost: Counter<'type'>;
  readonly tasksBuried: Counter;
  readonly tasksRedriven: Counter<'type'>;
  readonly batchSize: Histogram<'batch'>;
  readonly requestSeconds: Histogram<'edge' | 'operation' | 'outcome'>;
  readonly uploadBytes: Counter;
}

export function createJobsMetrics(registry: Registry): JobsMetrics {
  const registers = [registry];
  return {
    jobsAccepted: new Counter({
      name: 'jobber_jobs_accepted_total',
      help: 'Jobs that were durably accepted',
      labelNames: ['type'],
      registers,
    }),
    jobsEnded: new Counter({
      name: 'jobber_jobs_ended_total',
      help: 'Jobs that this replica has seen end, by final status',
      labelNames: ['status'],
      registers,
    }),
    tasksClaimed: new Counter({
      name: 'jobber_jobs_tasks_claimed_total',
      help: 'Attempts started for executors',
      labelNames: ['type'],
      registers,
    }),
    attemptsEnded: new Counter({
      name: 'jobber_jobs_attempts_ended_total',
      help: 'Outcomes of attempts: finished, retried, deferred, released, handed-back, buried, superseded',
      labelNames: ['outcome'],
      registers,
    }),
    tasksRescued: new Counter({
      name: 'jobber_jobs_tasks_rescued_total',
      help: 'Tasks that came back because their lease expired',
      labelNames: ['type'],
      registers,
    }),
    hintsPublished: new Counter({
      name: 'jobber_jobs_hints_published_total',
      help: 'Hints of tasks that the broker has confirmed',
      labelNames: ['type'],
      registers,
    }),
    hintsUnconfirmed: new Counter({
      name: 'jobber_jobs_hints_unconfirmed_total',
      help: 'Hints that the broker did not confirm in time; their tasks became ready again',
      labelNames: ['type'],
      registers,
    }),
    hintsLost: new Counter({
      name: 'jobber_jobs_hints_lost_total',
      help: 'Hints that nobody has followed in time: lost, or behind others; their tasks became ready again',
      labelNames: ['type'],
      registers,
    }),
    tasksBuried: new Counter({
      name: 'jobber_jobs_tasks_buried_total',
      help: 'Tasks given up because they were lost too often',
      registers,
    }),
    tasksRedriven: new Counter({
      name: 'jobber_jobs_tasks_redriven_total',
      help: 'Dead letters that were run again on request',
      labelNames: ['type'],
      registers,
    }),
    batchSize: new Histogram({
      name: 'jobber_jobs_batch_size',
      help: 'What was written or read together: accept, start, finish, return, read',
      labelNames: ['batch'],
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'jobber_jobs_request_seconds',
      help: 'Time to answer a request; outcome is ok or the reason of the refusal',
      labelNames: ['edge', 'operation', 'outcome'],
      buckets: DURATION_BUCKETS,
      registers,
    }),
    uploadBytes: new Counter({
      name: 'jobber_jobs_upload_bytes_total',
      help: 'Bytes of the files that were accepted',
      registers,
    }),
  };
}

/** What counts the queue is asked at most this often, in milliseconds, however often it is scraped. */
const COUNT_EVERY_MS = 5_000;

/** Adds the depth of the queue to `registry`. A database that is down leaves the last figures, and the scrape works. */
export function measureQueue(registry: Registry, pool: Pool): void {
  let countedAt = Number.NEGATIVE_INFINITY;
  let counts: readonly TaskCount[] = [];
  new Gauge({
    name: 'jobber_jobs_tasks',
    help: 'Unfinished tasks of all replicas by type and state',
    labelNames: ['type', 'state'],
    registers: [registry],
    async collect() {
      if (performance.now() - countedAt > COUNT_EVERY_MS) {
        countedAt = performance.now();
        counts = await countUnfinishedTasks(pool).catch(() => counts);
      }
      this.reset();
      for (const { type, state, count } of counts) this.set({ type, state }, count);
    },
  });
}
