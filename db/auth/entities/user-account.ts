import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** Someone who can log in. */
export const UserAccount = defineEntity({
  name: 'UserAccount',
  tableName: 'user_account',
  properties: {
    id: p.uuid().primary(),
    /** Trimmed and in lower case; unique. */
    email: p.text(),
    /** Argon2id in PHC's text format. */
    passwordHash: p.text().lazy(),
    roles: p.array(),
    createdAt: p.datetime(),
    /** Since then nobody can log in as this user, and no token is accepted. */
    deactivatedAt: p.datetime().nullable(),
  },
});
export type UserAccount = InferEntity<typeof UserAccount>;
