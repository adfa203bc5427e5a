import { type Redrive, type RedriveAnswer, type RedriveChoice, redriveOnce } from '../api/dead-letters.ts';
import { asTyped } from '../environment.ts';
import { Failure, interrupted } from '../failure.ts';
import { bar, startProgress } from '../render/progress.ts';
import { count, counted } from '../render/units.ts';
import type { Session } from '../session/session.ts';
import { onInterruption } from '../waiting/interruption.ts';

/**
 * Runs dead letters again, request by request until none is left; none is asked for twice, also when it dies again
 * meanwhile. Ctrl-C ends it after the request that is on its way, so that what was done is known.
 *
 * @returns the sums of all requests
 * @throws a Failure that says how many were run again before, and of those that were named how to go on with the rest
 */
export async function redriveAll(session: Session, choice: RedriveChoice, quiet: boolean): Promise<Redrive> {
  const interruption = onInterruption(() => interrupted('Interrupted'));
  const progress = await startProgress('Redriving', quiet);
  let sum: Redrive | undefined;
  let rest = choice;
  try {
    for (;;) {
      const answer = await redriveOnce(session, rest, { dryRun: false });
      sum = add(sum ?? NONE, answer);
      progress.update(
        `Redriving  ${bar(sum.redriven, sum.matched)}  ${count(sum.redriven)} of ${count(sum.matched)}`,
      );
      if (answer.remaining === 0 || answer.last === null) return sum;
      rest = 'ids' in rest ? { ids: lastOf(rest.ids, answer.remaining) } : { ...rest, after: answer.last };
      if (interruption.signal.aborted) throw interruption.signal.reason;
    }
  } catch (error) {
    if (!(error instanceof Failure) || sum === undefined) throw error;
    const { exitCode, reason, code } = error;
    const done = `${count(sum.redriven)} of ${counted(sum.matched, 'dead letter')} ${sum.redriven === 1 ? 'was' : 'were'} run again before`;
    const [ids, then] =
      'ids' in rest
        ? [rest.ids, `; for the others type: ${asTyped(`dead-letter redrive ${rest.ids.join(' ')}`)}`]
        : [undefined, ''];
    const details = { redriven: sum.redriven, ...(ids && { rest: ids }) };
    throw new Failure(`${error.message}; ${done}${then}`, { exitCode, reason, code, details, cause: error });
  } finally {
    progress.stop();
    interruption.release();
  }
}

/** A request that ends early has looked at the first ones, in the order of jobs and tasks. */
function lastOf(ids: readonly string[], count: number): string[] {
  const numbers = (id: string) => id.split('/').map(Number) as [number, number];
  return ids
    .toSorted((a, b) => {
      const [jobOfA, taskOfA] = numbers(a);
      const [jobOfB, taskOfB] = numbers(b);
      return jobOfA - jobOfB || taskOfA - taskOfB;
    })
    .slice(-count);
}

const NONE: Redrive = { matched: 0, redriven: 0, items: 0, jobs: [], refused: [], remaining: 0 };

function add(sum: Redrive, answer: RedriveAnswer): Redrive {
  const lookedAt = sum.matched - sum.remaining;
  return {
    matched: lookedAt + answer.matched,
    redriven: sum.redriven + answer.redriven,
    items: sum.items + answer.items,
    jobs: [...new Set([...sum.jobs, ...answer.jobs])],
    refused: [...sum.refused, ...answer.refused],
    remaining: answer.remaining,
  };
}
