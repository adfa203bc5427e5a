import { isTerminal, type SubmittedJob } from '../api/jobs.ts';
import { asTyped } from '../environment.ts';
import { cleanText } from './clean-text.ts';
import { counted, duration, localTime } from './units.ts';

/** What became of a job that nobody waits for, and how to follow it. @param now in milliseconds */
export function describeAccepted(job: SubmittedJob, unique: string | undefined, now: number): string {
  const what = `${cleanText(job.name)}, ${counted(job.size, 'item')}`;
  if (!job.existing && job.status !== 'SCHEDULED') {
    return `Job ${job.id} accepted: ${what}. Follow it with: ${asTyped(`job show ${job.id} --wait`)}`;
  }
  const how = job.existing
    ? describeExisting(job, unique)
    : `Job ${job.id} is scheduled for ${describeRunAt(job.runAt, now)}`;
  const [verb, wait] = isTerminal(job.status) ? ['See', ''] : ['Follow', ' --wait'];
  return `${how}: ${what}\n${verb} it with: ${asTyped(`job show ${job.id}${wait}`)}`;
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
