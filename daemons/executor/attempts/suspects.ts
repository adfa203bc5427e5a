import { setImmediate as nextTurn } from 'node:timers/promises';
import { HandlerFailed } from '../handlers/handler-run.ts';
import type { Attempt } from './attempt.ts';
import type { RunningAttempts } from './running-attempts.ts';

/**
 * A task that was interrupted this often is a suspect: its handler may be what ends executors. Half of the
 * interruptions after which Jobs makes a dead letter of it.
 */
export const SUSPECT_FROM = 5;

/**
 * Lets one suspect at a time run on this executor. Whatever runs beside a task that ends its executors is interrupted as
 * often as that one; apart from each other, only the task that really does it goes on to the limit.
 */
export interface Suspects {
  /**
   * Undefined: the attempt may run at once, because it is no suspect; otherwise it may when the promise resolves.
   * @throws HandlerFailed that defers it, when another suspect is here; the signal's reason when it is aborted first
   */
  enter(attempt: Attempt): Promise<void> | undefined;
}

export function createSuspects(running: RunningAttempts): Suspects {
  return { enter: (attempt) => (isSuspect(attempt) ? enterAlone(attempt) : undefined) };

  async function enterAlone(attempt: Attempt): Promise<void> {
    if (suspectsBeside(attempt).length > 0) throw deferral();
    // Those that arrived with it are to be safely back at Jobs before it may end this executor.
    await nextTurn();
    await running.untilGone(suspectsBeside(attempt), attempt.signal);
    attempt.signal.throwIfAborted();
  }

  function suspectsBeside(attempt: Attempt): Attempt[] {
    return [...running].filter((other) => other !== attempt && isSuspect(other));
  }
}

function isSuspect({ task }: Attempt): boolean {
  return task.interruptions >= SUSPECT_FROM;
}

function deferral(): HandlerFailed {
  return new HandlerFailed({
    reason: 'RunsApart',
    message: `Interrupted ${SUSPECT_FROM} times or more: such tasks run one at a time, and another one runs on this executor`,
    consequence: 'defer',
  });
}
