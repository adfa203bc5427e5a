import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/**
 * What is counted against an account or an address: failures, or, for registrations, successes within the hour since
 * `lastFailureAt`. Every Auth replica sees the same count.
 */
export const Throttle = defineEntity({
  name: 'Throttle',
  tableName: 'throttle',
  properties: {
    /** Says what is counted: `login:<hash of the email>`, `address:<address>`, `registered:<address>` … */
    key: p.text().primary(),
    failures: p.integer(),
    lastFailureAt: p.datetime(),
    blockedUntil: p.datetime(),
  },
});
export type Throttle = InferEntity<typeof Throttle>;
