import type { Database } from '@jobber/db/connection';
import type { Identity } from '@jobber/shared/auth-guard';
import type { Logger } from '@jobber/shared/log';
import type { Revocations } from '../revocations/revocations.ts';
import { endSession } from '../sessions/end-session.ts';

export type LogOut = (identity: Identity) => Promise<void>;

/**
 * Ends the session that a request was made with; then no daemon accepts its tokens any more. That it has ended meanwhile
 * is no error.
 */
export function buildLogOut(parts: {
  database: Database;
  untilForgotten: Revocations['untilForgotten'];
  log: Logger;
}): LogOut {
  const { database, untilForgotten, log } = parts;

  return async function logOut({ userId, sessionId }) {
    if (await endSession(database, sessionId)) log.info({ userId, sessionId }, 'logged out');
    // Also when somebody else has ended it: that may be this very moment.
    await untilForgotten(sessionId);
  };
}
