import type { Database } from '@jobber/db/connection';
import type { Logger } from '@jobber/shared/log';

export type PruneExpired = () => Promise<void>;

/** Removes what nobody can use any more, so that the tables do not grow for ever. Any number of replicas may do it. */
export function buildPruneExpired({ database, log }: { database: Database; log: Logger }): PruneExpired {
  return async function pruneExpired() {
    const { pool } = database;
    const removed = {
      // Ended sessions stay until then, too: they tell from where their user has logged in.
      sessions: await pool.query('delete from session where expires_at < now()'),
      refreshTokens: await pool.query('delete from refresh_token where expires_at < now()'),
      throttles: await pool.query(
        `delete from throttle where last_failure_at < now() - interval '1 day' and blocked_until < now()`,
      ),
    };
    const counts = Object.fromEntries(
      Object.entries(removed).map(([what, { rowCount }]) => [what, rowCount ?? 0]),
    );
    if (Object.values(counts).some((count) => count > 0)) log.info(counts, 'removed what has expired');
  };
}
