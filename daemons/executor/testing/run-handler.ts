// Runs the handlers of test types in a pool.
import type { JobType } from '@jobber/job-types';
import type { Progress } from '@jobber/shared/progress';
import type { HandlerFailed, HandlerFailure, HandlerPool, HandlerReport } from '../handlers/handler-run.ts';

export interface RunOptions {
  readonly values?: readonly unknown[];
  readonly signal?: AbortSignal;
  readonly onStart?: () => void;
  readonly log?: (message: string, fields: unknown) => void;
  readonly progress?: (progress: Progress) => void;
}

export type RunHandler = (slug: string, options?: RunOptions) => Promise<HandlerReport>;

export function handlerRunner(pool: () => HandlerPool, types: readonly JobType[]): RunHandler {
  return async (slug, options = {}) => {
    const {
      values = [{}],
      signal = new AbortController().signal,
      onStart = () => {},
      log = () => {},
      progress = () => {},
    } = options;
    const type = types.find((candidate) => candidate.slug === slug);
    if (!type) throw new Error(`There is no type ${slug}`);
    const items = values.map((value, index) => ({ index, value }));
    const task = { type, jobId: 1, ownerId: 'owner', traceparent: '00-trace', items };
    return await pool().run({ ...task, signal, onStart, log, progress });
  };
}

/** How a handler fails, without its stack. */
export async function failureOf(running: Promise<HandlerReport>): Promise<HandlerFailure> {
  const failed: unknown = await running.then(
    () => new Error('the handler should have failed'),
    (error: unknown) => error,
  );
  const { reason, message, consequence } = failed as HandlerFailed;
  if (consequence === undefined) throw failed;
  return { reason, message, consequence };
}
