import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/**
 * What did not go straight. `retried`: the handler failed, attempts are left. `deferred`: a service was away.
 * `released`: its executor stopped. `rescued`: its lease expired. `died`: items failed for good. `superseded`: an
 * outcome came too late. `cancelled`, `redriven`: somebody decided so.
 */
export const HISTORY_EVENTS = [
  'retried',
  'deferred',
  'released',
  'rescued',
  'died',
  'superseded',
  'cancelled',
  'redriven',
] as const;
export type HistoryEvent = (typeof HISTORY_EVENTS)[number];

/** One thing that happened to an attempt, a task or a job. Rows are only ever added. */
export const History = defineEntity({
  name: 'History',
  tableName: 'history',
  properties: {
    id: p.bigint('number').primary(),
    jobId: p.bigint('number'),
    /** The task and its attempt; null for what concerns the whole job. */
    seq: p.integer().strictNullable(),
    attempt: p.integer().strictNullable(),
    round: p.integer(),
    event: p.enum(HISTORY_EVENTS),
    at: p.datetime(),
    executorId: p.text().strictNullable(),
    reason: p.text().strictNullable(),
    message: p.text().strictNullable(),
    /** What belongs to the event, such as the failed items of a task that died. */
    detail: p.json<unknown>().strictNullable(),
  },
});
export type History = InferEntity<typeof History>;
