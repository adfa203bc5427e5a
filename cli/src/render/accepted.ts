import type { Job, SubmittedJob } from '../api/jobs.ts';
import { isTerminal } from '../api/jobs.ts';
import { asTyped } from '../environment.ts';
import { cleanText } from './clean-text.ts';
import { counted, duration, localTime } from './units.ts';

/** What became of a job that nobody waits for, and how to follow it. @param now in milliseconds */
export function describeAccepted(job: SubmittedJob, unique: string | undefined, now: number): string {
  const what = `${cleanText(job.name)}, ${counted(job.size, 'item')}`;
  const how = job.existing ? describeExisting(job, unique) : describeStart(job, now);
  const wait = isTerminal(job.status) ? '' : ' --wait';
  return `${how}: ${what}. ${isTerminal(job.status) ? 'See' : 'Follow'} it with: ${asTyped(`job show ${job.id}${wait}`)}`;
}

/**
 * Why a request made no job.
 *
 * @param unique what was given with --unique-for
 */
export function describeExisting(job: SubmittedJob, unique: string | undefined): string {
  return unique !== undefined && job.uniqueFor === unique && !isTerminal(job.status)
    ? `Job ${job.id} is unfinished already (unique for ${cleanText(unique)})`
    : `Job ${job.id} has this idempotency key already and is ${cleanText(job.status)}`;
}

/** `2026-03-01 14:00:00 (in 2 h 5 min)` @param now in milliseconds */
export function describeRunAt(runAt: string | null, now: number): string {
  const ahead = Date.parse(runAt ?? '') - now;
  return ahead > 0 ? `${localTime(runAt)} (in ${duration(ahead)})` : localTime(runAt);
}

function describeStart(job: Job, now: number): string {
  return job.status === 'SCHEDULED'
    ? `Job ${job.id} is scheduled for ${describeRunAt(job.runAt, now)}`
    : `Job ${job.id} accepted`;
}
