import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

export const SESSION_ENDINGS = ['logged out', 'refresh token reused'] as const;
export type SessionEnding = (typeof SESSION_ENDINGS)[number];

/** One login: its access tokens name it, its refresh tokens are a family. */
export const Session = defineEntity({
  name: 'Session',
  tableName: 'session',
  properties: {
    id: p.uuid().primary(),
    userId: p.uuid(),
    /** Where the login came from, as `addressKey` writes it. */
    address: p.text(),
    startedAt: p.datetime(),
    /** The end of the newest refresh token. */
    expiresAt: p.datetime(),
    endedAt: p.datetime().nullable(),
    endedBecause: p.enum([...SESSION_ENDINGS]).nullable(),
  },
});
export type Session = InferEntity<typeof Session>;
