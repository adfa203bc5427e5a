import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

export const JOB_STATUSES = [
  'IN_PROGRESS',
  'COMPLETED',
  'FAILED',
  'SCHEDULED',
  'AWAITING_APPROVAL',
  'CANCELLED',
] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** A request to run a job type over 1..size items. */
export const Job = defineEntity({
  name: 'Job',
  tableName: 'job',
  properties: {
    id: p.bigint('number').primary(),
    ownerId: p.uuid(),
    /** The slug of the job type. */
    type: p.text(),
    status: p.enum(JOB_STATUSES),
    size: p.integer(),
    completed: p.integer(),
    failed: p.integer(),
    uploadName: p.text().strictNullable(),
    idempotencyKey: p.text().strictNullable(),
    /** SHA-256 of what was asked for: the same key with other input is refused. */
    inputHash: p.type('bytea').$type<Buffer>().strictNullable(),
    /** Higher comes first among the jobs of its owner: -100 to 100. */
    priority: p.integer(),
    /** Not before this time; null: at once. */
    runAt: p.datetime().strictNullable(),
    /** Limits of this job's own, in place of its type's. */
    timeoutMs: p.bigint('number').strictNullable(),
    maxAttempts: p.integer().strictNullable(),
    backoffMs: p.bigint('number').strictNullable(),
    /** No second unfinished job of the owner has the same type and key. */
    uniqueFor: p.text().strictNullable(),
    tags: p.array(),
    /** W3C Trace Context of the request that has made it; null: of a release before this was kept. */
    traceparent: p.text().strictNullable(),
    /** 1, and one more with each redrive. */
    round: p.integer(),
    startedAt: p.datetime(),
    endedAt: p.datetime().strictNullable(),
  },
});
export type Job = InferEntity<typeof Job>;
