import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** A job type as an executor has offered it. */
export const JobType = defineEntity({
  name: 'JobType',
  tableName: 'job_type',
  properties: {
    slug: p.text().primary(),
    name: p.text(),
    version: p.integer(),
    description: p.text(),
    inputSchema: p.json<Record<string, unknown>>(),
    defaultItem: p.json<unknown>().strictNullable(),
    itemsPerTask: p.integer(),
    maxAttempts: p.integer(),
    backoffMs: p.bigint('number'),
    maxBackoffMs: p.bigint('number'),
    timeoutMs: p.bigint('number'),
    maxItems: p.integer(),
    /** Tasks of all replicas and executors that run at the same time at most; 0: no limit. */
    maxRunning: p.integer(),
    offeredAt: p.datetime(),
    /** When an executor last offered it that follows only the first task which a hint names; null: never. */
    singleHintsAt: p.datetime().nullable(),
  },
});
export type JobType = InferEntity<typeof JobType>;
