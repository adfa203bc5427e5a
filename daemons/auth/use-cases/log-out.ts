import type { Database } from '@jobber/db/connection';
import type { Identity } from '@jobber/shared/auth-guard';
import type { Logger } from '@jobber/shared/log';
import { endSession } from '../sessions/end-session.ts';

export type LogOut = (identity: Identity) => Promise<void>;

/** Ends the session that a request was made with. That it has ended meanwhile is no error. */
export function buildLogOut({ database, log }: { database: Database; log: Logger }): LogOut {
  return async function logOut({ userId, sessionId }) {
    if (await endSession(database, sessionId)) log.info({ userId, sessionId }, 'logged out');
  };
}
