import type { Progress } from '@jobber/shared/progress';
import { z } from 'zod';
import type { TaskOutcome, TravellingTask } from './run-task.ts';

/** To a process: first which job type it serves, then one task after the other. `run` counts them. */
export type MessageToProcess =
  | { readonly serve: { readonly slug: string; readonly modules: readonly string[] } }
  | { readonly run: number; readonly task: TravellingTask }
  | { readonly abort: number };

/** From a process. */
export type MessageFromProcess = { readonly run: number } & (
  | { readonly started: true }
  | { readonly message: string; readonly fields?: string | undefined }
  | { readonly progress: Progress }
  | TaskOutcome
);

const RUN = { run: z.int() };
const DURATION_MS = z.number().min(0).max(1e12);
const DESCRIBED_ITEM = z
  .object({
    status: z.enum(['succeeded', 'failed', 'retry']),
    resultJson: z.string(),
    error: z.object({ reason: z.string(), message: z.string() }).optional(),
  })
  .transform(({ status, resultJson, error }) => ({ status, resultJson, error }));
const MESSAGE = z.union([
  z.object({ ...RUN, started: z.literal(true) }),
  z.object({ ...RUN, message: z.string(), fields: z.string().optional() }),
  z.object({ ...RUN, progress: z.object({ done: z.number(), total: z.number(), note: z.string() }) }),
  z.object({
    ...RUN,
    report: z.object({ items: z.array(DESCRIBED_ITEM), countersJson: z.string(), durationMs: DURATION_MS }),
  }),
  z.object({
    ...RUN,
    failure: z.object({
      reason: z.string(),
      message: z.string(),
      consequence: z.enum(['retry', 'fail', 'defer']),
      stack: z.string().optional(),
    }),
    durationMs: DURATION_MS,
  }),
]);

/**
 * What arrived from a process, if it is a message: a handler can reach the pipe, so that anything may come.
 * @param itemCount how many items the task has that runs there
 */
export function readMessageFromProcess(value: unknown, itemCount: number): MessageFromProcess | undefined {
  const { data } = MESSAGE.safeParse(value);
  return data && 'report' in data && data.report.items.length !== itemCount ? undefined : data;
}
