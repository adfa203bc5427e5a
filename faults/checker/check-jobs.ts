import type { Matched } from './check-calls.ts';
import { TERMINAL } from './check-polls.ts';
import type { Evidence, StoredJob, StoredOutcome } from './evidence.ts';
import { fibonacciOracle } from './fibonacci-oracle.ts';
import type { Intent } from './history.ts';
import type { Problem } from './problem.ts';

/** I1, I3, I5 and I6 over each stored job: it is decided, its counts are those of its items, and the results are right. */
export function checkJobs(
  matched: readonly Matched[],
  evidence: Evidence,
  cancelled: ReadonlySet<number>,
): Problem[] {
  return matched.flatMap(({ intent, job }) => [
    ...checkStatus(job, intent, cancelled.has(job.id)),
    ...checkOutcomes(job, intent),
    ...checkRest(job),
    ...checkPublic(job, evidence),
  ]);
}

function checkStatus(job: StoredJob, intent: Intent, mayBeCancelled: boolean): Problem[] {
  const problems: Problem[] = [];
  const { id: jobId, status, size, completed, failed } = job;
  const say = (invariant: string, kind: Problem['kind'], message: string) =>
    problems.push({ invariant, kind, jobId, message: `Job ${jobId} ${message}.` });
  if (size !== intent.items.length) {
    say('I7', 'wrong', `has ${size} items, ${intent.items.length} were submitted`);
  }
  if (job.type !== intent.type) say('I7', 'wrong', `is of type ${job.type}, submitted was ${intent.type}`);
  if (!TERMINAL.includes(status)) say('I1', 'stuck', `is still ${status} at rest`);
  if (status === 'CANCELLED' && !mayBeCancelled) say('I8', 'unexpected', 'was cancelled by nobody');
  if (TERMINAL.includes(status) !== (job.endedAt !== null))
    say('I2', 'wrong', `is ${status} without its end`);
  if (completed < 0 || failed < 0 || completed + failed > size) {
    say('I3', 'wrong', `counts ${completed} completed and ${failed} failed of ${size} items`);
  }
  if (status === 'COMPLETED' && completed !== size) {
    say('I3', 'wrong', `is COMPLETED with ${completed} of ${size} items`);
  }
  if (status === 'FAILED' && (failed === 0 || completed + failed !== size)) {
    say('I3', 'wrong', `is FAILED with ${completed} completed and ${failed} failed of ${size} items`);
  }
  return problems;
}

function checkOutcomes(job: StoredJob, intent: Intent): Problem[] {
  const problems: Problem[] = [];
  const { id: jobId } = job;
  const say = (invariant: string, kind: Problem['kind'], message: string) =>
    problems.push({ invariant, kind, jobId, message });
  const seen = new Map<number, StoredOutcome>();
  for (const outcome of job.outcomes) {
    const { index } = outcome;
    if (seen.has(index)) say('I3', 'doubled', `Item ${index} of job ${jobId} has two outcomes.`);
    if (index < 0 || index >= job.size) {
      say('I8', 'unexpected', `Job ${jobId} has an outcome of item ${index}, and only ${job.size} items.`);
    }
    seen.set(index, outcome);
  }
  const succeeded = [...seen.values()].filter((outcome) => outcome.succeeded).length;
  if (succeeded !== job.completed || seen.size - succeeded !== job.failed) {
    say(
      'I3',
      'wrong',
      `Job ${jobId} counts ${job.completed} completed and ${job.failed} failed; its items are ${succeeded} and ${seen.size - succeeded}.`,
    );
  }
  if (job.status === 'CANCELLED' || !TERMINAL.includes(job.status)) return problems;
  for (let index = 0; index < job.size; index += 1) {
    const outcome = seen.get(index);
    if (!outcome) {
      say('I3', 'lost', `Item ${index} of job ${jobId} (${job.status}) has no outcome.`);
      continue;
    }
    const problem = outcomeProblem(intent, index, outcome);
    if (problem) say('I6', 'wrong', `Item ${index} of job ${jobId} ${problem}.`);
  }
  return problems;
}

function outcomeProblem(intent: Intent, index: number, outcome: StoredOutcome): string | undefined {
  if (intent.expects === 'success' && !outcome.succeeded) return 'has failed, and is sound';
  if (intent.expects === 'failure' && outcome.succeeded) return 'has succeeded, and should not have';
  if (!outcome.succeeded || intent.type !== 'fibonacci') return undefined;
  const { iterations } = intent.items[index] as { iterations: number };
  const { number, digits } = (outcome.result ?? {}) as { number?: string; digits?: number };
  const expected = fibonacciOracle(iterations);
  if (number !== expected)
    return `says that F(${iterations}) is ${shorten(number)}, it is ${shorten(expected)}`;
  return digits === expected.length ? undefined : `counts ${digits} digits of ${expected.length}`;
}

function shorten(digits: string | undefined): string {
  if (digits === undefined) return 'nothing';
  return digits.length > 40 ? `${digits.slice(0, 18)}…${digits.slice(-18)}` : digits;
}

function checkRest({ id: jobId, status, tasks }: StoredJob): Problem[] {
  if (!tasks) return [];
  const left: [number, string][] = [
    [tasks.unfinished, 'unfinished tasks'],
    [tasks.leases, 'leases'],
    [tasks.misreported, 'dead letters that are not the tasks with failed items'],
    [tasks.uncovered, 'items that lie in no task or in two'],
  ];
  return left
    .filter(([count]) => count > 0)
    .map(([count, what]) => ({
      invariant: 'I5',
      kind: 'left over' as const,
      jobId,
      message: `Job ${jobId} (${status}) has ${count} ${what} at rest.`,
    }));
}

function checkPublic(job: StoredJob, { publicJobs }: Evidence): Problem[] {
  const read = publicJobs.get(job.id);
  if (!read) return [];
  if (typeof read === 'string') {
    const message = `Job ${job.id} cannot be read: ${read}.`;
    return [{ invariant: 'I2', kind: 'wrong', jobId: job.id, message }];
  }
  const differs = (['status', 'size', 'completed', 'failed'] as const).filter(
    (name) => read[name] !== job[name],
  );
  return differs.map((name) => ({
    invariant: 'I2',
    kind: 'wrong' as const,
    jobId: job.id,
    message: `Job ${job.id} is stored with ${name} ${job[name]}, and read with ${read[name]}.`,
  }));
}
