import { setTimeout as delay } from 'node:timers/promises';
import { type JobNews, jobEvents } from '../api/job-events.ts';
import { fetchJob, isTerminal, type JobState } from '../api/jobs.ts';
import { EXIT, Failure } from '../failure.ts';
import type { Session } from '../session/session.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;
/** A platform that restarts is waited for that long. */
const PATIENCE_MS = 60_000;

/**
 * Waits until a job has ended: by the events that Jobs sends, and by asking when there are none.
 *
 * @param onNews told each state that is seen, the last one included, and what handlers say in between
 * @throws the signal's reason when it was aborted; a Failure when Jobs was not to be reached for a minute
 */
export async function waitForJob(
  session: Session,
  id: number,
  onNews: (news: JobNews) => void,
  signal: AbortSignal,
): Promise<JobState> {
  let pause = FIRST_PAUSE_MS;
  let lostSince: number | undefined;
  for (;;) {
    try {
      const state =
        (await followEvents(session, id, onNews, signal)) ?? (await fetchJob(session, id, signal));
      lostSince = undefined;
      onNews({ state });
      if (isTerminal(state.status)) return state;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof Failure) || error.exitCode !== EXIT.unavailable) throw error;
      lostSince ??= Date.now();
      if (Date.now() - lostSince > PATIENCE_MS) throw error;
    }
    await delay(pause, undefined, { signal }).catch(() => {
      throw signal.reason;
    });
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

/** @returns the last state if it is a final one; undefined when the stream is not there or broke off */
async function followEvents(
  session: Session,
  id: number,
  onNews: (news: JobNews) => void,
  signal: AbortSignal,
): Promise<JobState | undefined> {
  try {
    for await (const news of jobEvents(session, id, signal)) {
      if ('state' in news && isTerminal(news.state.status)) return news.state;
      onNews(news);
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof Failure && (error.code === 401 || error.code === 403)) throw error;
  }
  return undefined;
}
