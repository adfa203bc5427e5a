// Runs in the pool's threads. Nothing in here needs to be trusted: handlers may throw, block, exit or exhaust the memory.
import { workerData } from 'node:worker_threads';
import type { JobType } from '@jobber/job-types';
import { importJobTypes, runTask } from './run-task.ts';
import {
  type AbortMessage,
  type BatchMessage,
  TaskState,
  type ThreadData,
  type ThreadMessage,
  type ThreadOutcome,
} from './thread-messages.ts';

let loading: Promise<ReadonlyMap<string, JobType>> | undefined;

/**
 * What the pool calls. Each outcome is sent at once, because the next task may take long or end the thread.
 * @returns the last outcome: only with it is the thread free again
 */
export default async function runBatch(batch: BatchMessage): Promise<ThreadOutcome | undefined> {
  loading ??= importJobTypes((workerData as ThreadData).modules);
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
    const tell = (message: ThreadMessage) => port.postMessage(message);
    const outcome = await runTask(type, task, running.controller.signal, {
      log: (message, fields) => tell({ index, message, fields }),
      progress: (progress) => tell({ index, progress }),
    });
    last = { index, ...outcome };
    Atomics.store(states, index, TaskState.DONE);
  }
  port.removeAllListeners('message');
  return last;
}
