import type { Figure } from '../report.ts';
import { percentile, round } from '../statistics.ts';
import type { Contender } from './contender.ts';
import type { Scale } from './scale.ts';

/** Idle, one job at a time: from its submission to the moment its submitter knows that it is done. */
export async function measureIdleLatency(
  jobber: Contender,
  peers: readonly Contender[],
  { samples, warmUp }: Scale,
): Promise<Figure[]> {
  const ours = await jobber.latencies(samples, warmUp);
  const p50 = percentile(ours, 0.5);
  const p99 = percentile(ours, 0.99);
  const figures: Figure[] = [
    { name: 'submit → completion seen, p50', value: round(p50), unit: 'ms', goal: '≤ 10 ms', met: p50 <= 10 },
    {
      name: 'submit → completion seen, p99',
      value: round(p99),
      unit: 'ms',
      goal: '≤ 3 × p50',
      met: p99 <= 3 * p50,
    },
  ];
  for (const peer of peers) {
    const theirs = await peer.latencies(samples, warmUp);
    figures.push({
      name: `submit → completed: ${peer.name}, p50`,
      value: round(percentile(theirs, 0.5)),
      unit: 'ms',
      note: `p99 ${round(percentile(theirs, 0.99))} ms`,
    });
  }
  return figures;
}
