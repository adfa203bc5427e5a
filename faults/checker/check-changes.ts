import type { StoredJob } from './evidence.ts';
import type { ChangeCall } from './history.ts';
import type { Problem } from './problem.ts';

/**
 * I1, I2 and I8 over what was asked of jobs that exist: an answered redrive has begun its round, no other round has begun,
 * and each is recorded; an answered cancellation stays one.
 */
export function checkChanges(changes: readonly ChangeCall[], jobs: readonly StoredJob[]): Problem[] {
  const answered = new Map<number, number>();
  const possible = new Map<number, number>();
  const toldRound = new Map<number, number>();
  const cancelled = new Set(
    changes.filter(({ what }) => what === 'cancelJob').flatMap((call) => answeredJobs(call)),
  );
  for (const call of changes.filter(({ what }) => what !== 'cancelJob')) {
    for (const jobId of answeredJobs(call)) {
      if (call.what === 'redriveDeadLetters') count(answered, jobId);
      else toldRound.set(jobId, Math.max(toldRound.get(jobId) ?? 1, roundOf(call)));
    }
    for (const jobId of possibleJobs(call)) count(possible, jobId);
  }
  const problems: Problem[] = [];
  for (const { id: jobId, round, status, tasks } of jobs) {
    const say = (invariant: string, kind: Problem['kind'], message: string) =>
      problems.push({ invariant, kind, jobId, message: `Job ${jobId} ${message}.` });
    const least = Math.max(1 + (answered.get(jobId) ?? 0), toldRound.get(jobId) ?? 1);
    const most = 1 + (possible.get(jobId) ?? 0);
    if (cancelled.has(jobId) && status !== 'CANCELLED')
      say('I2', 'wrong', `was answered as cancelled, and is ${status}`);
    if (round < least) say('I1', 'lost', `is in round ${round}, and round ${least} of it was answered`);
    if (round > most)
      say('I8', 'unexpected', `is in round ${round}; ${most - 1} redrives of it were asked for`);
    const recorded = tasks?.redrivenRounds ?? [];
    const expected = Array.from({ length: round - 1 }, (_, index) => index + 2);
    if (tasks && recorded.join() !== expected.join()) {
      const told = recorded.length === 0 ? 'none' : recorded.join(', ');
      say('I2', 'wrong', `is in round ${round}, and its history tells of these redrives: ${told}`);
    }
  }
  return problems;
}

/** When each job was asked to begin a new round, in milliseconds since 1970. */
export function redriveTimes(changes: readonly ChangeCall[]): Map<number, number[]> {
  const times = new Map<number, number[]>();
  for (const call of changes.filter(({ what }) => what !== 'cancelJob')) {
    for (const jobId of possibleJobs(call)) times.set(jobId, [...(times.get(jobId) ?? []), call.startedAt]);
  }
  return times;
}

/** Refused for good. A retryable refusal may be the end of waiting for something that happens all the same. */
export function isRefused(outcome: ChangeCall['outcome']): boolean {
  return outcome.kind === 'refused' && outcome.code !== 503;
}

function answeredJobs({ outcome }: ChangeCall): readonly number[] {
  return outcome.kind === 'done' ? outcome.jobIds : [];
}

/** Several who ask at once are told of one and the same round. */
function roundOf({ outcome }: ChangeCall): number {
  return outcome.kind === 'done' ? (outcome.round ?? 1) : 1;
}

function possibleJobs(call: ChangeCall): readonly number[] {
  if (call.outcome.kind === 'done') return call.outcome.jobIds;
  return isRefused(call.outcome) ? [] : call.jobIds;
}

function count(counts: Map<number, number>, jobId: number): void {
  counts.set(jobId, (counts.get(jobId) ?? 0) + 1);
}
