import type { DatabaseDefinition } from '../connection.ts';
import { RefreshToken } from './entities/refresh-token.ts';
import { Session } from './entities/session.ts';
import { SigningKey } from './entities/signing-key.ts';
import { Throttle } from './entities/throttle.ts';
import { UserAccount } from './entities/user-account.ts';
import { Migration0001UsersAndSessions } from './migrations/migration-0001-users-and-sessions.ts';

export { RefreshToken } from './entities/refresh-token.ts';
export { SESSION_ENDINGS, Session, type SessionEnding } from './entities/session.ts';
export { SigningKey } from './entities/signing-key.ts';
export { Throttle } from './entities/throttle.ts';
export { UserAccount } from './entities/user-account.ts';

export const authDatabase: DatabaseDefinition = {
  name: 'auth',
  entities: [UserAccount, Session, RefreshToken, SigningKey, Throttle],
  migrations: [{ name: '0001-users-and-sessions', class: Migration0001UsersAndSessions }],
};
