import type { Figure } from '../report.ts';
import { median, percentile, round } from '../statistics.ts';
import type { Door } from './door.ts';
import type { Scale } from './scale.ts';
import type { StoredJobs } from './stored-jobs.ts';

const GOAL_MS = 50;
/** After one request each, the slowest ones are asked some times more, and the slowest of these are measured. */
const DOUBTFUL = 100;
const TRIES = 3;
const SUSPECTS = 20;
/** A list that is that slow needs no more requests to be told as slow. */
const MOST_MS = 10_000;
const DAY_MS = 86_400_000;

const JOBS = `query ($filter: JobFilter, $limit: Int, $before: Float) {
  jobs(filter: $filter, limit: $limit, before: $before) {
    id name size completed failed status owner startedAt endedAt
  }
}`;

interface List {
  readonly name: string;
  readonly variables: { filter: Record<string, unknown>; limit: number; before?: number };
}

/**
 * `jobs` with each filter and every combination of them, through GraphQL. All are asked, the slow ones again; those that took
 * longest and each filter by itself are asked `requests` times.
 */
export async function measureLists(
  door: Door,
  owners: StoredJobs['owners'],
  { everyNthList, requests }: Scale,
): Promise<Figure[]> {
  const lists = (await combinations(door, owners)).filter((_, n) => n % everyNthList === 0);
  const doubtful = slowest(await tryAll(door, lists, 1), DOUBTFUL);
  const suspects = slowest(await tryAll(door, doubtful, TRIES), SUSPECTS);
  const simple = lists.filter(({ name }) => !name.includes(' + '));
  const chosen = new Set([...suspects, ...simple]);

  const measured: { name: string; p50: number; p95: number }[] = [];
  for (const list of chosen) {
    const times = await ask(door, list, requests);
    measured.push({ name: list.name, p50: percentile(times, 0.5), p95: percentile(times, 0.95) });
  }
  measured.sort((a, b) => b.p95 - a.p95);
  return measured.slice(0, 5).map(({ name, p50, p95 }, place) => ({
    name: `jobs, ${place === 0 ? 'the slowest filter' : 'the next'}, p95`,
    value: round(p95),
    unit: 'ms',
    ...(place === 0 && { goal: `< ${GOAL_MS} ms`, met: p95 < GOAL_MS }),
    note: `${name}; p50 ${round(p50)} ms; ${lists.length} combinations, ${chosen.size} of them up to ${requests} times`,
  }));
}

/** @returns the lists with the milliseconds that they took, the median */
async function tryAll(door: Door, lists: readonly List[], times: number): Promise<Map<List, number>> {
  const took = new Map<List, number>();
  for (const list of lists) took.set(list, median(await ask(door, list, times)));
  return took;
}

function slowest(took: ReadonlyMap<List, number>, count: number): List[] {
  return [...took]
    .sort((a, b) => b[1] - a[1])
    .slice(0, count)
    .map(([list]) => list);
}

async function ask(door: Door, { variables }: List, times: number): Promise<number[]> {
  const measured: number[] = [];
  const begun = performance.now();
  while (measured.length < times && performance.now() - begun < MOST_MS) {
    const started = performance.now();
    await door.jobs(JOBS, variables);
    measured.push(performance.now() - started);
  }
  return measured;
}

type Choice = readonly [name: string, filter: Record<string, unknown>];

async function combinations(door: Door, owners: StoredJobs['owners']): Promise<List[]> {
  const none: Choice = ['', {}];
  const statuses: Choice[] = [
    none,
    ...['IN_PROGRESS', 'COMPLETED', 'FAILED', 'SCHEDULED', 'AWAITING_APPROVAL', 'CANCELLED'].map(
      (status): Choice => [status, { status: [status] }],
    ),
    ['FAILED or CANCELLED', { status: ['FAILED', 'CANCELLED'] }],
    ['COMPLETED or FAILED', { status: ['COMPLETED', 'FAILED'] }],
  ];
  const types: Choice[] = [
    none,
    ['frequent type', { type: ['no-op'] }],
    ['rare type', { type: ['load-products'] }],
    ['two types', { type: ['load-products', 'fibonacci'] }],
  ];
  const whose: Choice[] = [
    none,
    ['all owners', { allOwners: true }],
    ['owner of many', { owner: owners.large }],
    ['owner of few', { owner: owners.small }],
    ['owner of none', { owner: crypto.randomUUID() }],
  ];
  const times: Choice[] = [
    none,
    ['last day', { startedAfter: daysAgo(1) }],
    ['before 80 days ago', { startedBefore: daysAgo(80) }],
    ['one day of old', { startedAfter: daysAgo(46), startedBefore: daysAgo(45) }],
    ['the future', { startedAfter: daysAgo(-1) }],
  ];
  const tags: Choice[] = [none, ['frequent tag', { tags: ['nightly'] }], ['rare tag', { tags: ['rare'] }]];
  const middle = await door.jobs<{ jobs: { id: number }[] }>(JOBS, {
    filter: { allOwners: true, startedBefore: daysAgo(45) },
    limit: 1,
  });
  const pages = [
    { name: '', before: undefined },
    ...middle.jobs.map(({ id }) => ({ name: 'from the middle', before: id })),
  ];

  const choices = [statuses, types, whose, times, tags].reduce<Choice[][]>(
    (all, axis) => all.flatMap((chosen) => axis.map((choice) => [...chosen, choice])),
    [[]],
  );
  return choices.flatMap((chosen) => {
    // Later pages of a span of time are earlier spans.
    const span = chosen.some((choice) => choice !== none && times.includes(choice));
    return (span ? pages.slice(0, 1) : pages).map((page) => {
      const name = [...chosen.map(([one]) => one), page.name].filter(Boolean).join(' + ');
      const filter = Object.assign({}, ...chosen.map(([, part]) => part));
      const before = page.before === undefined ? {} : { before: page.before };
      return { name: name || 'no filter', variables: { filter, limit: 50, ...before } };
    });
  });
}

function daysAgo(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString();
}
