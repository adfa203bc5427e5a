import type { Evidence, StoredJob } from './evidence.ts';
import { type FaultWindow, type History, type Intent, intentKey } from './history.ts';
import type { Problem } from './problem.ts';

/** Which stored job belongs to which intent. */
export interface Matched {
  readonly intent: Intent;
  readonly job: StoredJob;
}

/**
 * I1, I7 and I8 over calls: an accepted job is stored; one key is one job, whatever the answers were; a refused call
 * has left nothing; what is stored was submitted.
 */
export function checkCalls(
  history: History,
  { jobs, users }: Evidence,
): { matched: Matched[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const byId = new Map(jobs.map((job) => [job.id, job]));
  const byKey = Map.groupBy(
    jobs.filter(({ key }) => typeof key === 'string'),
    ({ owner, key }) => intentKey(owner, key ?? ''),
  );
  const matched: Matched[] = [];
  const explained = new Set<number>();
  for (const [id, intent] of history.intents) {
    const answered = answeredJobs(intent);
    for (const jobId of answered) {
      if (byId.has(jobId)) continue;
      const message = `Job ${jobId} was accepted (${intent.type}, key ${intent.key}), and is not stored.`;
      problems.push({ invariant: 'I1', kind: 'lost', jobId, message });
    }
    if (answered.length > 1) {
      const message = `The key ${intent.key} was answered with several jobs: ${answered.join(', ')}.`;
      problems.push({ invariant: 'I7', kind: 'doubled', message });
    }
    const found = new Map([
      ...answered.flatMap((jobId) => [byId.get(jobId)].filter((job) => job !== undefined)).map(withId),
      ...(byKey.get(id) ?? []).map(withId),
    ]);
    for (const jobId of found.keys()) explained.add(jobId);
    if (found.size > 1 && answered.length <= 1) {
      const message = `The key ${intent.key} has several jobs: ${[...found.keys()].join(', ')}.`;
      problems.push({ invariant: 'I7', kind: 'doubled', message });
    }
    for (const job of found.values()) {
      if (isAlwaysRefused(intent)) {
        const message = `Job ${job.id} exists, although every call for it was refused (key ${intent.key}).`;
        problems.push({ invariant: 'I4', kind: 'unexpected', jobId: job.id, message });
      }
      matched.push({ intent, job });
    }
  }
  for (const job of jobs) {
    if (!explained.has(job.id) && !(job.key === undefined && mayBeUnknown(history, job))) {
      const message = `Job ${job.id} (${job.type}, ${job.size} items) was submitted by nobody.`;
      problems.push({ invariant: 'I8', kind: 'unexpected', jobId: job.id, message });
    }
    if (users && !users.has(job.owner)) {
      const message = `Job ${job.id} belongs to ${job.owner}, who is no user.`;
      problems.push({ invariant: 'I8', kind: 'unexpected', jobId: job.id, message });
    }
  }
  return { matched, problems };
}

function withId(job: StoredJob): [number, StoredJob] {
  return [job.id, job];
}

function answeredJobs({ calls }: Intent): number[] {
  const ids = calls.flatMap(({ outcome }) => (outcome.kind === 'accepted' ? [outcome.jobId] : []));
  return [...new Set(ids)];
}

function isAlwaysRefused({ calls }: Intent): boolean {
  // A retryable refusal may be the end of waiting for something that happens all the same: all or nothing.
  return calls.every(({ outcome }) => outcome.kind === 'refused' && outcome.code !== 503);
}

/** Without keys, a job that fits a call with an unknown outcome may be that call's. */
function mayBeUnknown({ intents }: History, job: StoredJob): boolean {
  for (const { owner, type, items, calls } of intents.values()) {
    const open = calls.some(
      ({ outcome }) => outcome.kind === 'unknown' || (outcome.kind === 'refused' && outcome.code === 503),
    );
    if (open && owner === job.owner && type === job.type && items.length === job.size) return true;
  }
  return false;
}

/**
 * A call goes through this many processes of the same machine: the caller, Jobs and PostgreSQL. When the caller got no
 * processor for a while, neither did the others, at other moments of the same call.
 */
const PROCESSES = 3;

/** I9: an answer within the limit, unless the door itself was silenced; and no refusal that blames the caller. */
export function checkAnswers(history: History, limitMs: number): Problem[] {
  const problems: Problem[] = [];
  const submissions = [...history.intents.values()].flatMap(({ calls }) => calls);
  for (const { id, startedAt, outcome, stalledMs } of [...submissions, ...history.changes]) {
    const tookMs = outcome.at - startedAt;
    // Time in which the machine let nobody work does not count.
    if (tookMs - PROCESSES * stalledMs > limitMs && !isSilenced(history.faults, startedAt, outcome.at)) {
      const took = Number.isFinite(tookMs) ? `${Math.round(tookMs)} ms` : 'no answer';
      const stalled = stalledMs > 0 ? `, ${stalledMs} ms of which the caller stood still` : '';
      const message = `Call ${id} took ${took}${stalled}; the limit is ${limitMs} ms (${outcome.kind}).`;
      problems.push({ invariant: 'I9', kind: 'hung', message });
    }
    if (outcome.kind === 'refused' && (outcome.code === 401 || outcome.code === 403)) {
      const message = `Call ${id} of a user who may do it was refused with ${outcome.code} ${outcome.reason}.`;
      problems.push({ invariant: 'I9', kind: 'wrong', message });
    }
  }
  return problems;
}

function isSilenced(faults: readonly FaultWindow[], from: number, to: number): boolean {
  return faults.some((fault) => fault.silences && fault.from <= to && fault.to >= from);
}
