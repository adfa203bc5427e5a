import type { Redrive, RefusedRedrive } from '../api/dead-letters.ts';
import { asTyped } from '../environment.ts';
import { renderTable, terminalWidth } from './table.ts';
import { count, counted } from './units.ts';

const SHOWN_JOBS = 10;

/** What was, or with `dryRun` would be, run again, and what can't be and why. */
export function renderRedrive(redrive: Redrive, dryRun: boolean): string {
  const { redriven, jobs, refused } = redrive;
  const parts = [renderDone(redrive, dryRun)];
  if (refused.length > 0) {
    const table = renderTable<RefusedRedrive>(
      [
        { title: 'ID', value: ({ id }) => id },
        { title: 'REASON', value: ({ reason }) => reason },
        { title: 'MESSAGE', value: ({ message }) => message, flexible: true },
      ],
      refused,
      terminalWidth(),
    );
    const all = refusedOf(redrive);
    const more = all > refused.length ? `\n… and ${count(all - refused.length)} more` : '';
    parts.push(`\n${count(all)} can't be run again:\n\n${table}${more}`);
  }
  const [job] = jobs;
  if (job !== undefined && jobs.length === 1 && redriven > 0 && !dryRun) {
    parts.push(`Follow it with: ${asTyped(`job show ${job} --wait`)}`);
  }
  return parts.join('\n');
}

/** How many were refused; the server names the first of them. */
export function refusedOf({ matched, redriven, remaining, refused }: Redrive): number {
  return Math.max(refused.length, matched - redriven - remaining);
}

function renderDone({ matched, redriven, items, jobs, remaining }: Redrive, dryRun: boolean): string {
  if (matched === 0) return 'No dead letter that can be run again matches: nothing was done';
  if (redriven === 0) return `No dead letter ${dryRun ? 'would be' : 'is'} run again`;
  const one = redriven === 1;
  const verb = dryRun ? 'would be' : one ? 'is' : 'are';
  const shown = jobs.slice(0, SHOWN_JOBS).join(', ');
  const named =
    jobs.length === 0
      ? ''
      : `, in ${jobs.length === 1 ? `job ${shown}` : `${counted(jobs.length, 'job')}: ${shown}`}${jobs.length > SHOWN_JOBS ? ' …' : ''}`;
  const more =
    dryRun && remaining > 0 ? `; ${count(remaining)} more match, which are looked at after these` : '';
  return `${counted(redriven, 'dead letter')} ${verb} run again (${counted(items, 'item')}${named})${more}`;
}
