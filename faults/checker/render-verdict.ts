import { PROBLEM_KINDS } from './problem.ts';
import type { Verdict } from './verdict.ts';

const MOST_SHOWN = 20;

/** The verdict as a table that fits 100 columns, with the first problems below it. */
export function renderVerdict(verdict: Verdict): string {
  const { seen, counts, problems } = verdict;
  const rows: [string, string][] = [
    ['faults injected', String(seen.faults)],
    ['calls', `${seen.calls} (${seen.accepted} accepted, ${seen.refused} refused, ${seen.unknown} unknown)`],
    ['reads', String(seen.reads)],
    ['jobs', String(seen.jobs)],
    ['items', String(seen.items)],
    ['products', String(seen.products)],
    ...PROBLEM_KINDS.map((kind): [string, string] => [kind, String(counts[kind])]),
    ['longest recovery', `${(verdict.longestRecoveryMs / 1_000).toFixed(1)} s`],
    ['verdict', verdict.valid ? 'VALID' : 'INVALID'],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  for (const { invariant, message } of problems.slice(0, MOST_SHOWN)) lines.push(`${invariant}: ${message}`);
  if (problems.length > MOST_SHOWN) lines.push(`… and ${problems.length - MOST_SHOWN} more`);
  return `${lines.join('\n')}\n`;
}
