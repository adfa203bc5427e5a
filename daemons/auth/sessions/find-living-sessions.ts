import type { Database } from '@jobber/db/connection';

export interface LivingSession {
  readonly sessionId: string;
  readonly userId: string;
  readonly email: string;
  readonly roles: readonly string[];
}

/** Which of the sessions have not ended and belong to a user who may log in: one query however many. */
export async function findLivingSessions(
  { pool }: Database,
  sessionIds: readonly string[],
): Promise<LivingSession[]> {
  const { rows } = await pool.query<LivingSession>({
    name: 'find-living-sessions',
    text: `
      select session.id as "sessionId", user_account.id as "userId", user_account.email, user_account.roles
      from session join user_account on user_account.id = session.user_id
      where session.id = any($1::uuid[]) and session.ended_at is null and session.expires_at > now()
        and user_account.deactivated_at is null`,
    values: [sessionIds],
  });
  return rows;
}
