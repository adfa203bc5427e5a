/** What the checker's verdicts say, as far as it is summed up. */
interface Sums {
  readonly counts: Readonly<Record<string, number>>;
  readonly seen: Readonly<Record<string, number>>;
  readonly longestRecoveryMs: number;
}

/** @param report the last verdict of each platform, one a line @returns a table for people */
export function summarize(report: string, seed: string): string {
  const verdicts = report
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Sums);
  const sum = (read: (verdict: Sums) => number | undefined) =>
    verdicts.reduce((total, verdict) => total + (read(verdict) ?? 0), 0);
  const rows: [string, string | number][] = [
    ['seed', seed],
    ['platforms', verdicts.length],
    ['faults injected', sum(({ seen }) => seen['faults'])],
    ['calls', sum(({ seen }) => seen['calls'])],
    ['reads', sum(({ seen }) => seen['reads'])],
    ['jobs', sum(({ seen }) => seen['jobs'])],
    ['items', sum(({ seen }) => seen['items'])],
    ...['lost', 'doubled', 'stuck'].map((kind): [string, number] => [
      kind,
      sum(({ counts }) => counts[kind]),
    ]),
    ['other problems', sum(({ counts }) => otherProblems(counts))],
    [
      'longest recovery',
      `${(Math.max(0, ...verdicts.map((one) => one.longestRecoveryMs)) / 1_000).toFixed(1)} s`,
    ],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return `\n${rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')}\n`;
}

function otherProblems(counts: Sums['counts']): number {
  const told = ['lost', 'doubled', 'stuck'];
  return Object.entries(counts).reduce((sum, [kind, count]) => sum + (told.includes(kind) ? 0 : count), 0);
}
