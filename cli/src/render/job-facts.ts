import { isTerminal, type Job } from '../api/jobs.ts';
import { describeRunAt } from './accepted.ts';
import { cleanText } from './clean-text.ts';
import { paint } from './paint.ts';
import { count, duration } from './units.ts';

/** What a job was submitted with, one fact a line; only what differs from the ordinary. @param now in milliseconds */
export function renderFacts(job: Job, now: number): string {
  const facts: [string, string][] = [];
  if (job.runAt !== null) {
    const title = job.status === 'SCHEDULED' ? 'scheduled for' : 'was scheduled for';
    facts.push([title, describeRunAt(job.runAt, isTerminal(job.status) ? Number.POSITIVE_INFINITY : now)]);
  }
  if (job.round > 1) facts.push(['round', count(job.round)]);
  if (job.tags.length > 0) facts.push(['tags', job.tags.map(cleanText).join(', ')]);
  if (job.priority !== 0) facts.push(['priority', count(job.priority)]);
  const limits = [
    job.maxAttempts === null ? '' : `at most ${count(job.maxAttempts)}`,
    job.timeout === null ? '' : `${duration(job.timeout)} each`,
    job.backoff === null ? '' : `${duration(job.backoff)} before the second`,
  ].filter(Boolean);
  if (limits.length > 0) facts.push(['attempts', limits.join(', ')]);
  if (job.uniqueFor !== null) facts.push(['unique for', cleanText(job.uniqueFor)]);
  const width = Math.max(0, ...facts.map(([title]) => title.length));
  return facts.map(([title, text]) => `${paint('dim', title.padEnd(width))}  ${text}`).join('\n');
}
