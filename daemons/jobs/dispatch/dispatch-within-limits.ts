import type { Taken } from '../transitions/choose-fairly.ts';
import { type Dispatch, type DispatchedTask, dispatchTasks } from '../transitions/dispatch-tasks.ts';
import { createTakeWithinLimits, type LimitParts } from './take-within-limits.ts';

/** Dispatches ready tasks, as many as the limits of their types and of their owners leave room for. */
export type DispatchWithinLimits = (
  asked: Omit<Dispatch, 'hintMs' | 'maxRunningPerOwner'>,
) => Promise<Taken<DispatchedTask>>;

export function createDispatchWithinLimits(
  parts: LimitParts & { readonly hintMs: number },
): DispatchWithinLimits {
  const { hintMs } = parts;
  return createTakeWithinLimits(parts, (database, asked) => dispatchTasks(database, { ...asked, hintMs }));
}
