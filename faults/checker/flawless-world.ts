import type { Evidence, StoredEffect, StoredJob, StoredProduct, StoredTopic } from './evidence.ts';
import { assembleHistory, type CallEvent, type Poll } from './history.ts';
import { decide } from './verdict.ts';

const OWNER = '00000000-0000-4000-8000-000000000001';
const LAMP = {
  name: 'Lamp',
  category: 'Furniture',
  price: 110.53,
  stock: 3,
  rating: 4.5,
  description: 'Gives light.',
};
const RUG = { name: 'Rug', category: 'Furniture', price: 20, stock: 1, rating: 5, description: 'Lies.' };
const RECORDS = [LAMP, RUG];
const ENDED = '2026-03-01T10:00:09.000Z';

export type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

/** A history of one Fibonacci job and one load, and what a flawless platform has stored of it. */
export function flawless() {
  const events: CallEvent[] = [
    started('c1', 'k1', 'fibonacci', [{ iterations: 10 }, { iterations: 100 }]),
    { event: 'accepted', call: 'c1', at: at(1), jobId: 1 },
    { event: 'fault', at: at(2), name: 'a fault' },
    started('c2', 'k2', 'load-products', RECORDS),
    { event: 'unknown', call: 'c2', at: at(4), why: 'reset' },
    { event: 'healed', at: at(5) },
    {
      ...started('c3', 'k2', 'load-products', RECORDS),
      items: undefined,
      itemsOf: 'c2',
    } as unknown as CallEvent,
    { event: 'accepted', call: 'c3', at: at(6), jobId: 2 },
    started('c4', 'k4', 'load-products', RECORDS),
    { event: 'refused', call: 'c4', at: at(2), code: 413, reason: 'TOO_LARGE' },
  ];
  const polls: Writable<Poll>[] = [
    poll(1, 'IN_PROGRESS', 0),
    poll(1, 'IN_PROGRESS', 1),
    poll(1, 'COMPLETED', 2),
    poll(2, 'COMPLETED', 2),
  ];
  const jobs: Writable<StoredJob>[] = [
    job(1, 'k1', 'fibonacci', [
      { number: '55', digits: 2 },
      { number: '354224848179261915075', digits: 21 },
    ]),
    job(2, 'k2', 'load-products', [{ productId: 8 }, { productId: 9 }]),
  ];
  const products: Writable<StoredProduct>[] = [product('8', LAMP, '117.1618'), product('9', RUG, '21.2')];
  const effects: StoredEffect[] = [effect(0, '8'), effect(1, '9')];
  const topics: Writable<StoredTopic>[] = [{ name: 'fibonacci-jobs', backlog: 0 }];
  return { events, polls, jobs, products, effects, topics, users: new Set([OWNER]) };
}

export type World = ReturnType<typeof flawless>;

export const at = (second: number) => Date.UTC(2026, 2, 1, 10, 0, second);

export function started(call: string, key: string, type: string, items: readonly unknown[]): CallEvent {
  return { event: 'started', call, at: at(1), owner: OWNER, key, type, items };
}

export function poll(jobId: number, status: string, completed: number): Writable<Poll> {
  const endedAt = status === 'IN_PROGRESS' ? null : ENDED;
  return { at: at(8), jobId, status, size: 2, completed, failed: 0, endedAt, round: 1 };
}

function job(id: number, key: string, type: string, results: readonly unknown[]): Writable<StoredJob> {
  const outcomes = results.map((result, index) => ({ index, succeeded: true, result }));
  const tasks = {
    unfinished: 0,
    leases: 0,
    dead: 0,
    withFailures: 0,
    misreported: 0,
    uncovered: 0,
    redrivenRounds: [],
  };
  const counts = {
    status: 'COMPLETED',
    size: 2,
    completed: 2,
    failed: 0,
    endedAt: Date.parse(ENDED),
    round: 1,
  };
  return { id, owner: OWNER, key, type, ...counts, outcomes, tasks };
}

function product(id: string, record: typeof LAMP, price: string): Writable<StoredProduct> {
  const { price: basePrice, rating, ...rest } = record;
  return { id, jobId: 2, ...rest, price, basePrice: String(basePrice), rating: String(rating), sku: null };
}

function effect(itemIndex: number, productId: string): StoredEffect {
  return { jobId: 2, itemIndex, productId, created: true };
}

/** What the checker says of the flawless world after `plant` has changed it. */
export function judge(plant: (world: World) => unknown = () => {}) {
  const world = flawless();
  plant(world);
  const { events, polls, ...evidence } = world;
  const publicJobs: Evidence['publicJobs'] = new Map(evidence.jobs.map((one) => [one.id, one]));
  return decide({ history: assembleHistory(events), polls, evidence: { ...evidence, publicJobs } });
}
