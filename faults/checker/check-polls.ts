import type { StoredJob } from './evidence.ts';
import type { Poll } from './history.ts';
import type { Problem } from './problem.ts';

export const TERMINAL: readonly string[] = ['COMPLETED', 'FAILED', 'CANCELLED'];

/** I2 and I3 over what was read on the way: within a round counts stay in bounds and only grow, and terminal is final. */
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
    const problem = stepProblem(before, poll);
    if (problem) say(problem.invariant, problem.message);
  }
  for (const poll of last.values()) {
    const job = jobs.get(poll.jobId);
    if (!job) {
      const message = `Job ${poll.jobId} was read, and is not stored any more.`;
      problems.push({ invariant: 'I1', kind: 'lost', jobId: poll.jobId, message });
      continue;
    }
    const problem = stepProblem(poll, asPoll(job));
    if (problem)
      problems.push({
        ...problem,
        kind: 'non-monotone',
        jobId: poll.jobId,
        message: `Job ${poll.jobId} ${problem.message} at rest.`,
      });
  }
  return problems;
}

/** What cannot have happened between two reads. A new round begins only after a failure; it may lower `failed`, nothing else. */
function stepProblem(before: Poll, after: Poll): { invariant: string; message: string } | undefined {
  const change = `was ${describe(before)} and then ${describe(after)}`;
  const sameRound = before.round === after.round;
  if (after.completed < before.completed || (sameRound && after.failed < before.failed)) {
    return { invariant: 'I3', message: `went back: ${change}` };
  }
  if (after.round < before.round) return { invariant: 'I2', message: `went back a round: ${change}` };
  const isFinal = sameRound ? TERMINAL : TERMINAL.filter((status) => status !== 'FAILED');
  if (isFinal.includes(before.status) && describe(before) !== describe(after)) {
    return { invariant: 'I2', message: change };
  }
  return undefined;
}

function asPoll(job: StoredJob): Poll {
  const endedAt = job.endedAt === null ? null : new Date(job.endedAt).toISOString();
  return { ...job, jobId: job.id, at: 0, endedAt };
}

function describe({ status, completed, failed, endedAt, round }: Poll): string {
  const ended = endedAt === null ? 'not ended' : `ended ${new Date(endedAt).toISOString()}`;
  return `${status} in round ${round} with ${completed} completed, ${failed} failed, ${ended}`;
}
