import { checkAnswers, checkCalls, type Matched } from './check-calls.ts';
import { checkChanges, isRefused, redriveTimes } from './check-changes.ts';
import { checkJobs } from './check-jobs.ts';
import { checkPolls } from './check-polls.ts';
import { checkProducts } from './check-products.ts';
import type { Evidence } from './evidence.ts';
import type { History, Poll } from './history.ts';
import { PROBLEM_KINDS, type Problem, type ProblemKind } from './problem.ts';

export interface Limits {
  /** I9: how long a call may take, in milliseconds. */
  readonly answerMs: number;
  /** I1: how long after the last fault has healed a job may end, in milliseconds, beside its own work. */
  readonly recoveryMs: number;
}

/** Two minutes, and five seconds: QUALITY's own figures. */
export const LIMITS: Limits = { answerMs: 5_000, recoveryMs: 120_000 };

export interface Verdict {
  readonly valid: boolean;
  readonly counts: Readonly<Record<ProblemKind, number>>;
  readonly seen: {
    readonly calls: number;
    readonly accepted: number;
    readonly refused: number;
    readonly unknown: number;
    readonly faults: number;
    readonly jobs: number;
    readonly items: number;
    readonly products: number;
    readonly reads: number;
  };
  /** From the end of a fault to the end of the last job that was submitted before it, at most; milliseconds. */
  readonly longestRecoveryMs: number;
  readonly problems: readonly Problem[];
}

/** Decides from a history of calls, one of reads, and what is stored at rest, whether all invariants have held. */
export function decide(
  { history, polls, evidence }: { history: History; polls: readonly Poll[]; evidence: Evidence },
  limits: Limits = LIMITS,
): Verdict {
  const { matched, problems: callProblems } = checkCalls(history, evidence);
  const recovery = measureRecovery(matched, history, limits);
  const problems = [
    ...callProblems,
    ...checkAnswers(history, limits.answerMs),
    ...checkPolls(polls, new Map(evidence.jobs.map((job) => [job.id, job]))),
    ...checkJobs(matched, evidence, cancelledJobs(history)),
    ...checkChanges(history.changes, evidence.jobs),
    ...checkProducts(matched, evidence),
    ...checkTopics(evidence),
    ...recovery.problems,
  ];
  const calls = [...[...history.intents.values()].flatMap((intent) => intent.calls), ...history.changes];
  const answered = (kind: string) => calls.filter(({ outcome }) => outcome.kind === kind).length;
  return {
    valid: problems.length === 0,
    counts: Object.fromEntries(
      PROBLEM_KINDS.map((kind) => [kind, problems.filter((problem) => problem.kind === kind).length]),
    ) as Record<ProblemKind, number>,
    seen: {
      calls: calls.length,
      accepted: answered('accepted') + answered('done'),
      refused: answered('refused'),
      unknown: answered('unknown'),
      faults: history.faults.reduce((sum, { names }) => sum + names.length, 0),
      jobs: evidence.jobs.length,
      items: evidence.jobs.reduce((sum, { size }) => sum + size, 0),
      products: evidence.products?.length ?? 0,
      reads: polls.length,
    },
    longestRecoveryMs: recovery.longestMs,
    problems,
  };
}

/** I5: nothing is left at the broker. */
function checkTopics({ topics = [] }: Evidence): Problem[] {
  return topics
    .filter(({ backlog }) => backlog > 0)
    .map(({ name, backlog }) => ({
      invariant: 'I5',
      kind: 'left over',
      message: `The broker still has ${backlog} messages of the topic ${name}.`,
    }));
}

/** Whoever asked for a cancellation may have cancelled, unless the answer was no. */
function cancelledJobs({ changes }: History): Set<number> {
  const open = changes.filter(({ what, outcome }) => what === 'cancelJob' && !isRefused(outcome));
  return new Set(open.flatMap(({ jobIds }) => jobIds));
}

/** For each fault: the jobs that were submitted before it healed and ended after it. */
function measureRecovery(
  matched: readonly Matched[],
  { faults, changes }: History,
  limits: Limits,
): { longestMs: number; problems: Problem[] } {
  const problems: Problem[] = [];
  let longestMs = 0;
  const redrivenAt = redriveTimes(changes);
  for (const { intent, job } of matched) {
    const submittedAt = Math.max(
      Math.min(...intent.calls.map(({ startedAt }) => startedAt)),
      // A new round is asked for when it is asked for.
      ...(redrivenAt.get(job.id) ?? []),
    );
    const { endedAt } = job;
    if (endedAt === null) continue;
    // Only the last fault before its end: until then it may have been held up again.
    const last = faults.filter(({ to }) => to > submittedAt && to <= endedAt).at(-1);
    if (!last) continue;
    const tookMs = endedAt - last.to;
    longestMs = Math.max(longestMs, tookMs);
    if (tookMs <= limits.recoveryMs) continue;
    const message = `Job ${job.id} ended ${Math.round(tookMs / 1000)} s after ${last.names.join(' and ')} had healed.`;
    problems.push({ invariant: 'I1', kind: 'late', jobId: job.id, message });
  }
  return { longestMs, problems };
}
