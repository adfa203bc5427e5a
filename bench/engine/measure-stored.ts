import type { Figure } from '../report.ts';
import { median, percentile, round } from '../statistics.ts';
import type { Contender } from './contender.ts';
import type { Scale } from './scale.ts';

const GOAL = 1.2;

interface Speed {
  /** Jobs per second, one by one. */
  readonly rate: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** How fast jobber is with jobs in its tables, each time compared with empty tables. */
export function createStoredComparison(jobber: Contender, scale: Scale, renew: () => Promise<void>) {
  let empty: Speed | undefined;

  async function measure(): Promise<Speed> {
    await renew();
    const latencies = await jobber.latencies(scale.samples, scale.warmUp);
    const rates: number[] = [];
    for (let n = 0; n < scale.rounds; n += 1) {
      const { done } = await jobber.oneByOne(scale.jobsBesideStored, scale.submitters);
      rates.push(scale.jobsBesideStored / done);
    }
    return { rate: median(rates), p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
  }

  return {
    /** Measures the empty tables that all others are compared with. */
    async empty(): Promise<Figure[]> {
      await jobber.oneByOne(scale.jobsBesideStored, scale.submitters);
      empty = await measure();
      return [
        {
          name: 'empty: latency p50',
          value: round(empty.p50),
          unit: 'ms',
          note: `p99 ${round(empty.p99)} ms`,
        },
        { name: 'empty: one by one', value: round(empty.rate, 0), unit: 'jobs/s' },
      ];
    },
    async beside(what: string): Promise<Figure[]> {
      if (!empty) throw new Error('empty tables are measured first');
      const speed = await measure();
      return [
        ratio(
          `${what}: latency p50 / empty`,
          speed.p50 / empty.p50,
          `${round(speed.p50)} ms, p99 ${round(speed.p99)} ms`,
        ),
        ratio(
          `${what}: empty rate / one by one`,
          empty.rate / speed.rate,
          `${Math.round(speed.rate)} jobs/s`,
        ),
      ];
    },
  };
}

function ratio(name: string, value: number, note: string): Figure {
  return { name, value: round(value, 2), unit: '×', goal: `≤ ${GOAL} ×`, met: value <= GOAL, note };
}
