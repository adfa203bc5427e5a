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
    startedAt: p.datetime(),
    endedAt: p.datetime().strictNullable(),
  },
});
export type Job = InferEntity<typeof Job>;
