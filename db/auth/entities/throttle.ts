import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** Failures counted against an account or an address; every Auth replica sees the same count. */
export const Throttle = defineEntity({
  name: 'Throttle',
  tableName: 'throttle',
  properties: {
    /** Says what is counted: `login:<hash of the email>`, `address:<address>` … */
    key: p.text().primary(),
    failures: p.integer(),
    lastFailureAt: p.datetime(),
    blockedUntil: p.datetime(),
  },
});
export type Throttle = InferEntity<typeof Throttle>;
