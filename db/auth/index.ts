import type { DatabaseDefinition } from '../connection.ts';
import { RefreshToken } from './entities/refresh-token.ts';
import { Session } from './entities/session.ts';
import { SigningKey } from './entities/signing-key.ts';
import { Throttle } from './entities/throttle.ts';
import { UserAccount } from './entities/user-account.ts';
import { Migration0001UsersAndSessions } from './migrations/migration-0001-users-and-sessions.ts';
import { Migration0002Revocations } from './migrations/migration-0002-revocations.ts';

export { RefreshToken } from './entities/refresh-token.ts';
export { SESSION_ENDINGS, Session, type SessionEnding } from './entities/session.ts';
export { SigningKey } from './entities/signing-key.ts';
export { Throttle } from './entities/throttle.ts';
export { UserAccount } from './entities/user-account.ts';

/** The channel on which the database names, by id, sessions whose identities hold no more; see migration 0002. */
export const SESSION_REVOKED = 'session_revoked';

export const authDatabase: DatabaseDefinition = {
  name: 'auth',
  entities: [UserAccount, Session, RefreshToken, SigningKey, Throttle],
  migrations: [
    { name: '0001-users-and-sessions', class: Migration0001UsersAndSessions },
    { name: '0002-revocations', class: Migration0002Revocations },
  ],
};
