// What threads and processes of the pools have in common: finding the job type, and running one task of it.
import { jobTypes as builtIn, type JobType, type TaskServices } from '@jobber/job-types';
import { describeResult } from './describe-result.ts';
import { describeFailure, type HandlerFailure, type HandlerReport } from './handler-run.ts';
import { createHandlerVoice, type Listener } from './handler-voice.ts';

/** A task as it travels to a thread or a process. */
export interface TravellingTask {
  readonly jobId: number;
  readonly ownerId: string;
  readonly traceparent?: string | undefined;
  readonly items: readonly { readonly index: number; readonly value: unknown }[];
}

export type TaskOutcome =
  | { readonly report: HandlerReport }
  | { readonly failure: HandlerFailure; readonly durationMs: number };

const services: TaskServices = {
  createProducts: () => Promise.reject(new Error('Only handlers that run inline can write products')),
};

/** The executor has validated the modules; checking them again would only make threads and processes start slower. */
export async function importJobTypes(modules: readonly string[]): Promise<ReadonlyMap<string, JobType>> {
  const imported = (await Promise.all(modules.map((module) => import(module)))) as {
    jobTypes: readonly JobType[];
  }[];
  const types = [...builtIn, ...imported.flatMap(({ jobTypes }) => jobTypes)];
  return new Map(types.map((type) => [type.slug, type]));
}

/**
 * Runs a handler, whatever it does short of ending its thread or process. Never rejects.
 * @param listener gets what the handler says, bounded
 */
export async function runTask(
  type: JobType,
  { jobId, ownerId, traceparent, items }: TravellingTask,
  signal: AbortSignal,
  listener: Listener,
): Promise<TaskOutcome> {
  const started = performance.now();
  const { log, progress, end } = createHandlerVoice(listener);
  try {
    const result = await type.run({ jobId, ownerId, traceparent, items, signal, log, progress, services });
    const described = describeResult(result, items.length);
    return { report: { ...described, durationMs: performance.now() - started } };
  } catch (error) {
    return { failure: describeFailure(error), durationMs: performance.now() - started };
  } finally {
    end();
  }
}
