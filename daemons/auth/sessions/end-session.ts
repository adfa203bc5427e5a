import type { Database } from '@jobber/db/connection';

/** living → logged out. Its access and refresh tokens are refused from now on. @returns whether it was still alive. */
export async function endSession({ pool }: Database, sessionId: string): Promise<boolean> {
  const ended = await pool.query({
    name: 'end-session',
    text: `
      update session set ended_at = now(), ended_because = 'logged out'
      where id = $1 and ended_at is null`,
    values: [sessionId],
  });
  return ended.rowCount === 1;
}
