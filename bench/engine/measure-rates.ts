import type { Figure } from '../report.ts';
import { median, round } from '../statistics.ts';
import type { Contender, Run } from './contender.ts';
import type { Jobber } from './jobber.ts';
import { describeShares, type ProcessorTime } from './processor-time.ts';
import type { Scale } from './scale.ts';

export interface RateParts {
  readonly jobber: Jobber;
  readonly peers: readonly Contender[];
  readonly scale: Scale;
  /** Of all processes that take part. */
  readonly processorTime: () => Promise<ProcessorTime>;
  /** Called before each run. */
  readonly renew: () => Promise<void>;
}

interface Series {
  readonly name: string;
  readonly rates: number[];
  note: string;
}

/** Many jobs one by one, many in few requests, many items in one job: jobber and the peers in turns. */
export async function measureRates(parts: RateParts): Promise<Figure[]> {
  const { jobber, peers, scale } = parts;
  const { jobs, submitters, rounds } = scale;
  const everyone: readonly Contender[] = [jobber, ...peers];
  // What starts cold is nobody's figure: connections, caches of plans, compiled code.
  for (const contender of everyone) await contender.oneByOne(Math.min(1_000, jobs), submitters);

  const single = everyone.map(({ name }) => newSeries(name));
  const bulk = everyone.map(({ name }) => newSeries(name));
  const items = newSeries(jobber.name);
  for (let n = 0; n < rounds; n += 1) {
    for (const contender of everyone) {
      await run(parts, find(single, contender), jobs, () => contender.oneByOne(jobs, submitters));
    }
    for (const contender of everyone) {
      await run(parts, find(bulk, contender), jobs, () => contender.bulk(jobs));
    }
    await run(parts, items, jobs, () => jobber.oneJob(jobs));
  }

  const count = jobs.toLocaleString('en');
  const bestBulk = best(bulk, jobber.name);
  return [
    ...compare(`${count} jobs one by one, ${submitters} submitters`, single, jobber.name, 1),
    ...compare(`${count} jobs in bulk`, bulk, jobber.name, 1),
    rateOf(`one job of ${count} items: ${jobber.name}`, items, 'items/s'),
    ...(bestBulk
      ? [ratioOf(`one job of ${count} items / ${bestBulk.name} in bulk`, items, bestBulk, 3)]
      : []),
  ];
}

async function run(parts: RateParts, series: Series, count: number, work: () => Promise<Run>): Promise<void> {
  await parts.renew();
  const before = await parts.processorTime();
  const { accepted, done, clientCpu } = await work();
  const after = await parts.processorTime();
  series.rates.push(count / done);
  const client = `client ${Math.round(clientCpu * 100)} %`;
  series.note = `accepted at ${Math.round(count / accepted).toLocaleString('en')}/s; of one core: ${describeShares(before, after, done)}, ${client}`;
}

function newSeries(name: string): Series {
  return { name, rates: [], note: '' };
}

function find(all: readonly Series[], { name }: Contender): Series {
  const found = all.find((series) => series.name === name);
  if (!found) throw new Error(`nobody measures ${name}`);
  return found;
}

function best(all: readonly Series[], except: string): Series | undefined {
  return all
    .filter(({ name }) => name !== except)
    .sort((a, b) => median(b.rates) - median(a.rates))
    .at(0);
}

function compare(work: string, all: readonly Series[], own: string, goal: number): Figure[] {
  const ours = all.find(({ name }) => name === own);
  const peer = best(all, own);
  const rates = all.map((series) => rateOf(`${work}: ${series.name}`, series, 'jobs/s'));
  if (!ours || !peer) return rates;
  return [...rates, ratioOf(`${work} / ${peer.name}`, ours, peer, goal)];
}

function rateOf(name: string, { rates, note }: Series, unit: string): Figure {
  const all = rates.map((rate) => Math.round(rate).toLocaleString('en')).join(' · ');
  return { name, value: round(median(rates), 0), unit, note: `${all}; ${note}` };
}

function ratioOf(name: string, ours: Series, peer: Series, goal: number): Figure {
  const ratio = median(ours.rates) / median(peer.rates);
  return { name, value: round(ratio, 2), unit: '×', goal: `≥ ${goal.toFixed(1)} ×`, met: ratio >= goal };
}
