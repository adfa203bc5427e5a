// What threads and processes of the pools have in common: finding the job type, and running one task of it.
import { jobTypes as builtIn, type JobType, type TaskServices } from '@jobber/job-types';
import { describeResult } from './describe-result.ts';
import { describeFailure, type HandlerFailure, type HandlerReport } from './handler-run.ts';

/** A task as it travels to a thread or a process. */
export interface TravellingTask {
  readonly jobId: number;
  readonly ownerId: string;
  readonly items: readonly { readonly index: number; readonly value: unknown }[];
}

export type TaskOutcome =
  | { readonly report: HandlerReport }
  | { readonly failure: HandlerFailure; readonly durationMs: number };

/** Log lines of one task at most; the last of them says that there were more. */
export const MAX_LOG_LINES = 200;
const MAX_LOG_CHARS = 2_000;

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
 * @param tell gets each line that the handler logs, bounded, with its fields as JSON
 */
export async function runTask(
  type: JobType,
  { jobId, ownerId, items }: TravellingTask,
  signal: AbortSignal,
  tell: (message: string, fields: string | undefined) => void,
): Promise<TaskOutcome> {
  const started = performance.now();
  let lines = 0;
  const log = (message: string, fields?: unknown) => {
    lines += 1;
    if (lines <= MAX_LOG_LINES) tell(String(message).slice(0, MAX_LOG_CHARS), describeFields(fields));
  };
  try {
    const result = await type.run({ jobId, ownerId, items, signal, log, services });
    const described = describeResult(result, items.length);
    return { report: { ...described, durationMs: performance.now() - started } };
  } catch (error) {
    return { failure: describeFailure(error), durationMs: performance.now() - started };
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
