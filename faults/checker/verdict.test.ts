import { expect, test } from 'vitest';
import type { StoredJob, StoredProduct } from './evidence.ts';
import { at, flawless, judge, poll, started, type World, type Writable } from './flawless-world.ts';
import { assembleHistory } from './history.ts';
import { decide } from './verdict.ts';

test('a flawless history is valid, and is counted', () => {
  const verdict = judge();
  expect(verdict.problems).toEqual([]);
  expect(verdict).toMatchObject({ valid: true, longestRecoveryMs: 4_000 });
  expect(verdict.seen).toMatchObject({
    calls: 4,
    accepted: 2,
    refused: 1,
    unknown: 1,
    faults: 1,
    jobs: 2,
    items: 4,
  });
});

const copyOf = <T>(value: T) => structuredClone(value);

/** What is planted, which kind of problem it is, and whether another kind follows from it. */
const DEFECTS: [string, string[], (world: World) => unknown][] = [
  ['a product row dropped', ['lost'], ({ products }) => products.pop()],
  ['a line of the ledger dropped', ['doubled', 'lost'], ({ effects }) => effects.pop()],
  ['a product and its line dropped', ['lost'], ({ products, effects }) => [products.pop(), effects.pop()]],
  [
    'a product row doubled',
    ['doubled'],
    ({ products }) => products.push({ ...copyOf(products[0]!), id: '10' }),
  ],
  ['a line of the ledger doubled', ['doubled', 'wrong'], ({ effects }) => effects.push(effects[0]!)],
  [
    'two prices swapped',
    ['wrong'],
    ({ products: [lamp, rug] }) => {
      const { price } = lamp!;
      Object.assign(lamp!, { price: rug!.price });
      Object.assign(rug!, { price });
    },
  ],
  [
    'one digit of a price altered',
    ['wrong'],
    ({ products: [lamp] }) => Object.assign(lamp!, { price: '117.1619' }),
  ],
  ['a product with another stock', ['wrong'], ({ products: [lamp] }) => Object.assign(lamp!, { stock: 4 })],
  [
    'one digit of a Fibonacci number altered',
    ['wrong'],
    ({ jobs: [job] }) => replaceOutcome(job!, { number: '354224848179261915076', digits: 21 }),
  ],
  ['a job dropped', ['lost', 'unexpected', 'wrong'], ({ jobs }) => jobs.pop()],
  [
    'a COMPLETED flipped back',
    ['non-monotone', 'stuck'],
    ({ jobs: [job] }) => Object.assign(job!, { status: 'IN_PROGRESS', endedAt: null }),
  ],
  [
    'a COMPLETED flipped back between two reads',
    ['non-monotone'],
    ({ polls }) => polls.splice(2, 0, poll(1, 'COMPLETED', 2), poll(1, 'IN_PROGRESS', 2)),
  ],
  [
    'an end that moves',
    ['non-monotone'],
    ({ jobs: [job] }) => Object.assign(job!, { endedAt: job!.endedAt! + 1 }),
  ],
  ['a count that goes back', ['non-monotone'], ({ polls }) => polls.splice(2, 0, poll(1, 'IN_PROGRESS', 0))],
  ['a count beyond the size', ['non-monotone'], ({ polls }) => Object.assign(polls[1]!, { failed: 2 })],
  ['an outcome dropped', ['lost', 'wrong'], ({ jobs: [job] }) => (job!.outcomes as unknown[]).pop()],
  [
    'an outcome doubled',
    ['doubled'],
    ({ jobs: [job] }) => (job!.outcomes as unknown[]).push(job!.outcomes[0]),
  ],
  [
    'a sound item that failed',
    ['non-monotone', 'wrong'],
    ({ jobs: [job] }) => {
      Object.assign(job!, { status: 'FAILED', completed: 1, failed: 1 });
      job!.outcomes = [job!.outcomes[0]!, { index: 1, succeeded: false, result: null }];
    },
  ],
  ['a lease left over', ['left over'], ({ jobs: [job] }) => Object.assign(job!.tasks!, { leases: 1 })],
  [
    'a message left over at the broker',
    ['left over'],
    ({ topics: [topic] }) => Object.assign(topic!, { backlog: 1 }),
  ],
  ['a task left over', ['left over'], ({ jobs: [job] }) => Object.assign(job!.tasks!, { unfinished: 1 })],
  [
    'a dead letter that nobody reports',
    ['left over'],
    ({ jobs: [job] }) => Object.assign(job!.tasks!, { dead: 1, misreported: 1 }),
  ],
  ['an unexpected job', ['unexpected'], ({ jobs }) => jobs.push({ ...copyOf(jobs[0]!), id: 3, key: 'k3' })],
  ['a second job of one key', ['doubled'], ({ jobs }) => jobs.push({ ...copyOf(jobs[0]!), id: 3 })],
  [
    'a second answer for one key',
    ['doubled'],
    ({ events, jobs }) => {
      events.push(started('c5', 'k1', 'fibonacci', [{ iterations: 10 }, { iterations: 100 }]));
      events.push({ event: 'accepted', call: 'c5', at: at(1), jobId: 3 });
      jobs.push({ ...copyOf(jobs[0]!), id: 3, key: null });
    },
  ],
  [
    'a refused job that exists all the same',
    ['unexpected', 'lost'],
    ({ jobs }) => jobs.push({ ...copyOf(jobs[1]!), id: 4, key: 'k4' }),
  ],
  ['a job of nobody', ['unexpected'], ({ users }) => users.clear()],
  [
    'an effect of no load',
    ['unexpected', 'wrong'],
    ({ effects }) => effects.push({ ...effects[0]!, jobId: 1 }),
  ],
  ['an answer that took too long', ['hung'], ({ events }) => Object.assign(events[1]!, { at: at(7) })],
  [
    'a user told that they may not',
    ['wrong'],
    ({ events }) => Object.assign(events[9]!, { code: 403, reason: 'FORBIDDEN' }),
  ],
  [
    'a recovery that took too long',
    ['late', 'non-monotone'],
    ({ jobs: [, load] }) => Object.assign(load!, { endedAt: load!.endedAt! + 200_000 }),
  ],
];

test('time in which the machine let nobody work is no part of an answer', () => {
  const stalled = (stalledMs: number) =>
    judge(({ events }) => Object.assign(events[1]!, { at: at(9), stalledMs })).counts.hung;
  expect([stalled(0), stalled(999), stalled(1_000)]).toEqual([1, 1, 0]);
});

function replaceOutcome(job: Writable<StoredJob>, result: unknown): void {
  job.outcomes = [job.outcomes[0]!, { index: 1, succeeded: true, result }];
}

test.each(DEFECTS)('%s is caught', (_name, kinds, plant) => {
  const verdict = judge(plant);
  expect(verdict.valid).toBe(false);
  expect([...new Set(verdict.problems.map(({ kind }) => kind))].sort()).toEqual([...kinds].sort());
});

test('a read that differs from what is stored is caught', () => {
  const { events, polls, ...evidence } = flawless();
  const publicJobs = new Map([[1, { ...evidence.jobs[0]!, completed: 1 }]]);
  const verdict = decide({ history: assembleHistory(events), polls, evidence: { ...evidence, publicJobs } });
  expect(verdict.problems.map(({ message }) => message)).toEqual([
    'Job 1 is stored with completed 2, and read with 1.',
  ]);
});

test('a call that the door could not answer, because it was silenced, is no hanging one', () => {
  const verdict = judge(({ events }) => {
    Object.assign(events[1]!, { at: at(9) });
    Object.assign(events[2]!, { silences: true });
  });
  expect(verdict.counts.hung).toBe(0);
});

test('without the ledger products are matched by what they say', () => {
  const { events, polls, effects: _, ...evidence } = flawless();
  const judgePublicly = (products: StoredProduct[]) =>
    decide({
      history: assembleHistory(events),
      polls,
      evidence: { ...evidence, products, effects: undefined, publicJobs: new Map() },
    }).problems.map(({ kind }) => kind);
  expect(judgePublicly(evidence.products)).toEqual([]);
  expect(judgePublicly(evidence.products.slice(1))).toEqual(['lost']);
  expect(judgePublicly([...evidence.products, { ...evidence.products[0]!, id: '10' }])).toEqual(['doubled']);
});
