import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** A refresh token, known only by its hash. Used ones are kept while the session lives: a second use betrays a thief. */
export const RefreshToken = defineEntity({
  name: 'RefreshToken',
  tableName: 'refresh_token',
  properties: {
    /** SHA-256 */
    hash: p.blob().primary(),
    sessionId: p.uuid(),
    expiresAt: p.datetime(),
    usedAt: p.datetime().nullable(),
  },
});
export type RefreshToken = InferEntity<typeof RefreshToken>;
