import { type Submission, type SubmittedJob, submitJob } from '../api/jobs.ts';
import { asTyped } from '../environment.ts';
import { interrupted } from '../failure.ts';
import { startProgress } from '../render/progress.ts';
import type { Session } from '../session/session.ts';
import { detached } from './follow-job.ts';
import { onInterruption } from './interruption.ts';

/**
 * Submits a job. Ctrl-C meanwhile does not leave its user in doubt: the answer is waited for, and names the job.
 *
 * @param quiet no progress on the terminal
 * @throws a Failure that says how to come back, after Ctrl-C
 */
export async function handOverJob(
  session: Session,
  submission: Submission,
  quiet: boolean,
): Promise<SubmittedJob> {
  const interruption = onInterruption(() =>
    interrupted(
      `Interrupted: it is not known whether the job was accepted; look with: ${asTyped('job list')}`,
    ),
  );
  const progress = await startProgress('Handing over the job', quiet);
  try {
    const job = await submitJob(session, submission).catch((error: unknown) => {
      throw interruption.signal.aborted ? interruption.signal.reason : error;
    });
    if (interruption.signal.aborted) throw detached(job.id);
    return job;
  } finally {
    progress.stop();
    interruption.release();
  }
}
