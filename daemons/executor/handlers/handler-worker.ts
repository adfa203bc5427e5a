// Runs in the pool's threads. Nothing in here needs to be trusted: handlers may throw, block, exit or exhaust the memory.
import { workerData } from 'node:worker_threads';
import { jobTypes as builtIn, type JobType, type TaskServices } from '@jobber/job-types';
import { describeResult } from './describe-result.ts';
import { describeFailure } from './handler-run.ts';
import {
  type AbortMessage,
  type BatchMessage,
  TaskState,
  type ThreadData,
  type ThreadMessage,
  type ThreadOutcome,
  type ThreadTask,
} from './thread-messages.ts';

const MAX_LOG_CHARS = 2_000;

let loading: Promise<ReadonlyMap<string, JobType>> | undefined;

const services: TaskServices = {
  createProducts: () => Promise.reject(new Error('Only handlers that run inline can write products')),
};

/**
 * What the pool calls. Each outcome is sent at once, because the next task may take long or end the thread.
 * @returns the last outcome: only with it is the thread free again
 */
export default async function runBatch(batch: BatchMessage): Promise<ThreadOutcome | undefined> {
  loading ??= loadTypes();
  const type = (await loading).get(batch.slug);
  if (!type) throw new Error(`The thread does not know the job type ${batch.slug}`);
  const { tasks, states, port } = batch;
  let running: { index: number; controller: AbortController } | undefined;
  let last: ThreadOutcome | undefined;
  port.on('message', ({ abort }: AbortMessage) => {
    if (running?.index === abort) running.controller.abort(new Error('The attempt was aborted'));
  });
  for (const [index, task] of tasks.entries()) {
    const state = Atomics.compareExchange(states, index, TaskState.WAITING, TaskState.RUNNING);
    if (state !== TaskState.WAITING) continue;
    if (last) port.postMessage(last);
    running = { index, controller: new AbortController() };
    last = await runTask(type, task, running, port);
    Atomics.store(states, index, TaskState.DONE);
  }
  port.removeAllListeners('message');
  return last;
}

/** The main thread has validated the modules; checking them again would only make threads start slower. */
async function loadTypes(): Promise<ReadonlyMap<string, JobType>> {
  const modules = (workerData as ThreadData).modules.map((module) => import(module));
  const own = (await Promise.all(modules)) as { jobTypes: readonly JobType[] }[];
  const types = [...builtIn, ...own.flatMap(({ jobTypes }) => jobTypes)];
  return new Map(types.map((type) => [type.slug, type]));
}

async function runTask(
  type: JobType,
  { jobId, ownerId, items }: ThreadTask,
  { index, controller: { signal } }: { index: number; controller: AbortController },
  port: BatchMessage['port'],
): Promise<ThreadOutcome> {
  const started = performance.now();
  const log = (message: string, fields?: unknown) => {
    const text = String(message).slice(0, MAX_LOG_CHARS);
    port.postMessage({ index, message: text, fields: describeFields(fields) } satisfies ThreadMessage);
  };
  try {
    const result = await type.run({ jobId, ownerId, items, signal, log, services });
    const described = describeResult(result, items.length);
    return { index, report: { ...described, durationMs: performance.now() - started } };
  } catch (error) {
    return { index, failure: describeFailure(error), durationMs: performance.now() - started };
  }
}

/** As text: fields may hold what cannot be sent between threads. */
function describeFields(fields: unknown): string | undefined {
  if (fields === undefined) return undefined;
  try {
    return JSON.stringify(fields)?.slice(0, MAX_LOG_CHARS);
  } catch {
    return undefined;
  }
}
