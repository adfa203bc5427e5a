import type { JobNews } from '../api/job-events.ts';
import type { Job, JobState } from '../api/jobs.ts';
import type { RunningTask } from '../api/running-tasks.ts';
import { asTyped } from '../environment.ts';
import { EXIT, Failure, interrupted } from '../failure.ts';
import { cleanText } from '../render/clean-text.ts';
import { bar, startProgress } from '../render/progress.ts';
import { describeNewest } from '../render/running-tasks.ts';
import { count, localTime } from '../render/units.ts';
import type { Session } from '../session/session.ts';
import { onInterruption } from './interruption.ts';
import { waitForJob } from './wait-for-job.ts';

export interface FollowOptions {
  /** No progress on the terminal. */
  readonly quiet: boolean;
  readonly timeoutMs: number | undefined;
}

/**
 * Waits for a job with visible progress. Ctrl-C leaves the job alone: it detaches.
 *
 * @throws a Failure that says how to come back, after Ctrl-C and when the time is over
 */
export async function followJob(session: Session, job: Job, options: FollowOptions): Promise<JobState> {
  const back = howToComeBack(job.id);
  const { timeoutMs } = options;
  const interruption = onInterruption(
    () => detached(job.id),
    timeoutMs === undefined
      ? undefined
      : {
          milliseconds: timeoutMs,
          explain: () =>
            new Failure(`Job ${job.id} has not ended within ${timeoutMs / 1000} s and goes on; ${back}`, {
              exitCode: EXIT.unavailable,
              reason: 'TIMED_OUT',
              details: { job: { id: job.id } },
            }),
        },
  );
  const title = `Job ${job.id} ${cleanText(job.name)}`;
  const started = performance.now();
  const first = job.status === 'SCHEDULED' ? describe(title, job, started, job.runAt) : `${title}  waiting`;
  const progress = await startProgress(first, options.quiet);
  try {
    let last: JobState = job;
    let running: readonly RunningTask[] = [];
    const show = (news: JobNews) => {
      if ('state' in news) last = news.state;
      else running = news.running;
      const said = describeNewest(running, last.size > 1);
      progress.update([describe(title, last, started, job.runAt), said].filter(Boolean).join('  '));
    };
    return await waitForJob(session, job.id, show, interruption.signal);
  } catch (error) {
    if (error instanceof Failure && error.exitCode === EXIT.unavailable && error.reason !== 'TIMED_OUT') {
      throw new Failure(`${error.message}; job ${job.id} was accepted: ${back}`, {
        exitCode: EXIT.unavailable,
        reason: error.reason,
        code: error.code,
        details: { job: { id: job.id } },
        cause: error,
      });
    }
    throw error;
  } finally {
    progress.stop();
    interruption.release();
  }
}

/** What Ctrl-C ends with: the job goes on. */
export function detached(id: number): Failure {
  return interrupted(`Detached: job ${id} goes on without you; ${howToComeBack(id)}`, { job: { id } });
}

function howToComeBack(id: number): string {
  return `come back with: ${asTyped(`job show ${id} --wait`)}`;
}

function describe(title: string, state: JobState, started: number, runAt: string | null): string {
  const { size, completed, failed, status } = state;
  if (status === 'SCHEDULED') return `${title}  scheduled for ${localTime(runAt)}`;
  const done = completed + failed;
  const rate = done / ((performance.now() - started) / 1000);
  const speed = size > 1 && done > 0 ? `  ${count(Math.round(rate))}/s` : '';
  return size === 1
    ? `${title}  running`
    : `${title}  ${bar(done, size)}  ${count(done)} of ${count(size)}${speed}`;
}
