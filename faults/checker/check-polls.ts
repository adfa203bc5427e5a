import type { StoredJob } from './evidence.ts';
import type { Poll } from './history.ts';
import type { Problem } from './problem.ts';

export const TERMINAL: readonly string[] = ['COMPLETED', 'FAILED', 'CANCELLED'];

/** I2 and I3 over what was read on the way: counts stay in bounds and only grow, and terminal is final. */
export function checkPolls(polls: readonly Poll[], jobs: ReadonlyMap<number, StoredJob>): Problem[] {
  const problems: Problem[] = [];
  const last = new Map<number, Poll>();
  for (const poll of polls) {
    const { jobId, size, completed, failed, status } = poll;
    const say = (invariant: string, message: string) =>
      problems.push({ invariant, kind: 'non-monotone', jobId, message: `Job ${jobId} ${message}.` });
    if (completed < 0 || failed < 0 || completed + failed > size) {
      say('I3', `was read with ${completed} completed and ${failed} failed of ${size} items`);
    }
    if (status === 'COMPLETED' && completed !== size) {
      say('I3', `was read as COMPLETED with ${completed} of ${size} items`);
    }
    const before = last.get(jobId);
    last.set(jobId, poll);
    if (!before) continue;
    if (before.size !== size) say('I3', `changed its size from ${before.size} to ${size}`);
    if (completed < before.completed || failed < before.failed) {
      say(
        'I3',
        `went back from ${before.completed} completed and ${before.failed} failed to ${completed} and ${failed}`,
      );
    }
    if (TERMINAL.includes(before.status) && describe(before) !== describe(poll)) {
      say('I2', `was ${describe(before)} and then ${describe(poll)}`);
    }
  }
  for (const poll of last.values()) {
    const job = jobs.get(poll.jobId);
    if (!job) {
      const message = `Job ${poll.jobId} was read, and is not stored any more.`;
      problems.push({ invariant: 'I1', kind: 'lost', jobId: poll.jobId, message });
    } else if (TERMINAL.includes(poll.status) && describe(poll) !== describe(asPoll(job))) {
      const message = `Job ${poll.jobId} was ${describe(poll)} and is ${describe(asPoll(job))} now.`;
      problems.push({ invariant: 'I2', kind: 'non-monotone', jobId: poll.jobId, message });
    }
  }
  return problems;
}

function asPoll(job: StoredJob): Poll {
  const endedAt = job.endedAt === null ? null : new Date(job.endedAt).toISOString();
  return { ...job, jobId: job.id, at: 0, endedAt };
}

function describe({ status, completed, failed, endedAt }: Poll): string {
  const ended = endedAt === null ? 'not ended' : `ended ${new Date(endedAt).toISOString()}`;
  return `${status} with ${completed} completed, ${failed} failed, ${ended}`;
}
