import type { Session } from '../session/session.ts';

/** Something that did not go straight, or that somebody decided. */
export interface JobEvent {
  readonly id: number;
  readonly at: string;
  /** RETRIED, DEFERRED, RELEASED, RESCUED, DIED, SUPERSEDED, CANCELLED, REDRIVEN, and what later servers add. */
  readonly event: string;
  readonly round: number;
  /** Null for what concerns the whole job. */
  readonly task: number | null;
  readonly attempt: number | null;
  readonly executor: string | null;
  readonly reason: string | null;
  readonly message: string | null;
  readonly detail: unknown;
}

export const EVENT = 'id at event round task attempt executor reason message detail';

const PAGE = 1000;

/** The whole history of a job, oldest first, page by page; at most `limit` events. */
export async function fetchHistory(session: Session, id: number, limit: number): Promise<JobEvent[]> {
  const query = `query History($id: Float!, $limit: Int, $after: Float) { job(id: $id) { history(limit: $limit, after: $after) { ${EVENT} } } }`;
  const events: JobEvent[] = [];
  for (;;) {
    const wanted = Math.min(PAGE, limit - events.length);
    const variables = { id, limit: wanted, after: events.at(-1)?.id };
    const answer = await session.call<{ job: { history: JobEvent[] } }>('jobs', query, variables);
    events.push(...answer.job.history);
    if (answer.job.history.length < wanted || events.length >= limit) return events;
  }
}
