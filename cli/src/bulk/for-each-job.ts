import { EXIT, type ExitCode, Failure, interrupted } from '../failure.ts';
import { printFailure } from '../render/failure.ts';
import { bar, startProgress } from '../render/progress.ts';
import { count, counted } from '../render/units.ts';
import { onInterruption } from '../waiting/interruption.ts';

/** Requests on their way at the same time. */
const AT_ONCE = 8;

export interface UndoneJob {
  readonly id: number;
  readonly message: string;
  readonly code: number | null;
  readonly reason: string;
  readonly exitCode: ExitCode;
}

/** Both in the order of the ids. */
export interface BulkOutcome<Done> {
  readonly jobs: Done[];
  readonly failed: UndoneJob[];
}

/**
 * Does the same with each of several jobs, a few at a time. A refusal concerns its job alone; when nobody is logged in or
 * the platform is away, or after Ctrl-C, the rest is not tried.
 *
 * @param doing what the progress says, for example `Cancelling`
 */
export async function forEachJob<Done>(
  ids: readonly number[],
  act: (id: number) => Promise<Done>,
  { doing, quiet }: { doing: string; quiet: boolean },
): Promise<BulkOutcome<Done>> {
  const results: ({ done: Done } | { failure: Failure } | undefined)[] = ids.map(() => undefined);
  const interruption = onInterruption(() => interrupted('Interrupted before it was sent'));
  const progress = await startProgress(`${doing} ${counted(ids.length, 'job')}`, quiet);
  let next = 0;
  let ended = 0;
  let stopped: Failure | undefined;
  const work = async () => {
    while (next < ids.length && !stopped && !interruption.signal.aborted) {
      const at = next++;
      try {
        results[at] = { done: await act(ids[at] as number) };
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        results[at] = { failure: error };
        if (error.exitCode === EXIT.unauthenticated || error.exitCode === EXIT.unavailable) stopped ??= error;
      }
      ended += 1;
      progress.update(`${doing}  ${bar(ended, ids.length)}  ${count(ended)} of ${count(ids.length)}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    progress.stop();
    interruption.release();
  }
  const why = interruption.signal.aborted ? (interruption.signal.reason as Failure) : stopped;
  const outcome: BulkOutcome<Done> = { jobs: [], failed: [] };
  results.forEach((result, at) => {
    if (result && 'done' in result) outcome.jobs.push(result.done);
    else outcome.failed.push(describeUndone(ids[at] as number, result?.failure, why));
  });
  return outcome;
}

/** One line for each job it was not done with; of those that were not tried, how many there are. */
export function printUndone(failed: readonly UndoneJob[]): void {
  const tried = failed.filter(({ reason }) => reason !== 'NOT_TRIED');
  for (const { id, message, exitCode, reason } of tried) {
    printFailure(new Failure(`Job ${id}: ${message}`, { exitCode, reason }), false);
  }
  const left = failed.filter(({ reason }) => reason === 'NOT_TRIED');
  if (left.length === 0) return;
  const [{ exitCode, reason } = { exitCode: EXIT.unavailable, reason: '' }] = left;
  const ids = left.slice(0, 10).map(({ id }) => id);
  const more = left.length > ids.length ? ' …' : '';
  const text = `${counted(left.length, 'job')} ${left.length === 1 ? 'was' : 'were'} not tried: ${ids.join(' ')}${more}`;
  printFailure(new Failure(text, { exitCode, reason }), false);
}

/** Of several jobs: that of the first, in the order of the ids, that it was not done with. */
export function exitCodeOf(failed: readonly UndoneJob[]): ExitCode {
  return failed[0]?.exitCode ?? EXIT.ok;
}

function describeUndone(id: number, failure: Failure | undefined, why: Failure | undefined): UndoneJob {
  if (failure) {
    const { message, code = null, reason, exitCode } = failure;
    return { id, message, code, reason, exitCode };
  }
  const exitCode = why?.exitCode ?? EXIT.unavailable;
  const cause = why === undefined ? '' : `: ${why.message}`;
  return { id, message: `It was not tried${cause}`, code: null, reason: 'NOT_TRIED', exitCode };
}
