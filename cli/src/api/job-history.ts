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

/**
 * The latest events of a job, page by page.
 *
 * @param wanted how many at most; `before`: only such as are earlier than the event with this id
 * @returns oldest first
 */
export async function fetchHistory(
  session: Session,
  id: number,
  wanted: { limit: number; before?: number | undefined },
): Promise<JobEvent[]> {
  const query = `query History($id: Float!, $limit: Int, $before: Float) { job(id: $id) { history(limit: $limit, before: $before, newestFirst: true) { ${EVENT} } } }`;
  const events: JobEvent[] = [];
  for (;;) {
    const limit = Math.min(PAGE, wanted.limit - events.length);
    const variables = { id, limit, before: events.at(-1)?.id ?? wanted.before };
    const { history } = (await session.call<{ job: { history: JobEvent[] } }>('jobs', query, variables)).job;
    for (const event of history) events.push(event);
    if (history.length < limit || events.length >= wanted.limit) return events.reverse();
  }
}
