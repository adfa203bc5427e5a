import { setTimeout as sleep } from 'node:timers/promises';
import type { Contender, Run } from './contender.ts';
import type { Door } from './door.ts';

/** Jobs that one `executeJobs` takes at most. */
const JOBS_PER_REQUEST = 1_000;
/** Requests of `executeJobs` under way at the same time. */
const BULK_SUBMITTERS = 4;

const YEAR_MS = 365 * 86_400_000;

const NO_OP = { name: 'no-op', data: {} };
const EXECUTE_JOB = 'mutation ($i: ExecuteJobInput!) { executeJob(executeJobInput: $i) { id } }';
const EXECUTE_JOBS = 'mutation ($i: [ExecuteJobInput!]!) { executeJobs(executeJobsInput: $i) { id } }';
const UNFINISHED = '{ jobs(filter: { status: [IN_PROGRESS], type: ["no-op"] }, limit: 1) { id } }';

export interface Jobber extends Contender {
  /** One job of `items` items, until its submitter has seen it completed. */
  oneJob(items: number): Promise<Run>;
  /** Submits `count` jobs that may not run for a year. */
  schedule(count: number): Promise<void>;
}

export function createJobber(door: Door): Jobber {
  async function submit(data: unknown = NO_OP.data): Promise<number> {
    const { executeJob } = await door.jobs<{ executeJob: { id: number } }>(EXECUTE_JOB, {
      i: { ...NO_OP, data },
    });
    return executeJob.id;
  }

  /** The user's no-op jobs have all ended, by the list that anyone can ask for. */
  async function untilAllEnded(): Promise<void> {
    while ((await door.jobs<{ jobs: unknown[] }>(UNFINISHED)).jobs.length > 0) await sleep(5);
  }

  /** `count` jobs by `executeJobs`, as large requests as it takes. */
  function submitMany(count: number, options: object = {}): Promise<void> {
    return inTurns(Math.ceil(count / JOBS_PER_REQUEST), BULK_SUBMITTERS, async (n) => {
      const size = Math.min(JOBS_PER_REQUEST, count - n * JOBS_PER_REQUEST);
      await door.jobs(EXECUTE_JOBS, { i: Array.from({ length: size }, () => ({ ...NO_OP, ...options })) });
    });
  }

  return {
    name: 'jobber',
    oneByOne: (count, submitters) =>
      time(
        () => inTurns(count, submitters, () => submit()),
        () => untilAllEnded(),
      ),
    bulk: (count) =>
      time(
        () => submitMany(count),
        () => untilAllEnded(),
      ),
    async oneJob(items) {
      let id = 0;
      return time(
        async () => {
          id = await submit(Array.from({ length: items }, () => NO_OP.data));
        },
        async () => {
          const { status, completed } = await door.untilEnded(id);
          if (status !== 'COMPLETED' || completed !== items)
            throw new Error(`job ${id} of ${items} items is ${status} with ${completed}`);
        },
      );
    },
    schedule: (count) => submitMany(count, { runAt: new Date(Date.now() + YEAR_MS).toISOString() }),
    async latencies(samples, warmUp) {
      const measured: number[] = [];
      for (let n = 0; n < samples + warmUp; n += 1) {
        const started = performance.now();
        const id = await submit();
        const { status } = await door.untilEnded(id);
        if (n >= warmUp) measured.push(performance.now() - started);
        if (status !== 'COMPLETED') throw new Error(`job ${id} is ${status}`);
        await sleep(10);
      }
      return measured;
    },
  };
}

async function inTurns(count: number, workers: number, run: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  async function worker(): Promise<void> {
    while (next < count) {
      next += 1;
      await run(next - 1);
    }
  }
  await Promise.all(Array.from({ length: workers }, worker));
}

async function time(submitAll: () => Promise<void>, untilDone: () => Promise<void>): Promise<Run> {
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  await submitAll();
  const accepted = (performance.now() - started) / 1_000;
  await untilDone();
  const done = (performance.now() - started) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { accepted, done, clientCpu: (user + system) / 1e6 / done };
}
