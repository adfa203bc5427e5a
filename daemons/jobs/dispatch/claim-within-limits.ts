import { type Claim, type Claimed, claimTasks } from '../transitions/claim-tasks.ts';
import { createTakeWithinLimits, type LimitParts } from './take-within-limits.ts';

/** Claims ready tasks, as many as the limits of their types and of their owners leave room for. */
export type ClaimWithinLimits = (asked: Omit<Claim, 'leaseMs' | 'maxRunningPerOwner'>) => Promise<Claimed>;

export function createClaimWithinLimits(parts: LimitParts & { readonly leaseMs: number }): ClaimWithinLimits {
  const { leaseMs } = parts;
  return createTakeWithinLimits(parts, (database, asked) => claimTasks(database, { ...asked, leaseMs }));
}
