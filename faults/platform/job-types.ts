// Job types of the suite's own, named to the executors by JOBBER_JOB_TYPES: some that wait, and each kind of poison.
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobType, TaskContext, TaskResult } from '@jobber/job-types';
import { type LoadProductsItem, loadProducts } from '@jobber/job-types/load-products';

type Run = (context: TaskContext<{ ms?: number }>) => Promise<TaskResult>;

function type(name: string, runs: JobType['runs'], run: Run): JobType<{ ms?: number }> {
  return {
    name,
    slug: name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase(),
    version: 1,
    description: `${name}, for the fault suite`,
    inputSchema: { type: 'object', properties: { ms: { type: 'integer', minimum: 0 } } },
    itemsPerTask: 1,
    retry: { maxAttempts: 2, backoffMs: 50, maxBackoffMs: 100 },
    limits: { timeoutMs: 2_000, maxItems: 100_000 },
    runs,
    run,
  };
}

function succeed({ items }: TaskContext<{ ms?: number }>): TaskResult {
  return { items: items.map(({ index }) => ({ status: 'succeeded', result: { index } })) };
}

/** Waits as long as its item says; a minute may pass before it counts as hanging. */
const doze: JobType<{ ms?: number }> = {
  ...type('Doze', 'inline', async (context) => {
    for (const { value } of context.items) await delay(value.ms ?? 0, undefined, { signal: context.signal });
    return succeed(context);
  }),
  retry: { maxAttempts: 3, backoffMs: 100, maxBackoffMs: 1_000 },
  limits: { timeoutMs: 60_000, maxItems: 100_000 },
};

/** Does nothing, many items a task. */
const noop: JobType<{ ms?: number }> = {
  ...type('Noop', 'inline', async (c) => succeed(c)),
  itemsPerTask: 50,
};

interface FlakyItem extends LoadProductsItem {
  /** While this file exists, the item fails for good, although its product is written. */
  readonly gate?: string;
}

/** LoadProducts with items that fail after their effect: run again, they must not have it twice. */
const flakyLoad: JobType<FlakyItem> = {
  ...loadProducts,
  name: 'FlakyLoad',
  slug: 'flaky-load',
  description: 'FlakyLoad, for the fault suite',
  inputSchema: { type: 'object' },
  itemsPerTask: 5,
  retry: { maxAttempts: 3, backoffMs: 50, maxBackoffMs: 100 },
  async run(context) {
    const records = context.items.map(({ index, value: { gate: _, ...value } }) => ({ index, value }));
    const { items, ...rest } = await loadProducts.run({ ...context, items: records });
    const closed = context.items.map(({ value }) => value.gate !== undefined && existsSync(value.gate));
    return {
      ...rest,
      items: items.map((item, at) =>
        closed[at] ? { status: 'failed', reason: 'GateClosed', message: 'The gate is closed.' } : item,
      ),
    };
  },
};

export const jobTypes: readonly JobType[] = [
  doze,
  noop,
  flakyLoad,
  type('Throw', 'thread', () => Promise.reject(new RangeError('thrown on purpose'))),
  type('InlineThrow', 'inline', () => Promise.reject(new RangeError('thrown on purpose'))),
  type('Hang', 'thread', () => new Promise(() => {})),
  type('InlineHang', 'inline', () => new Promise(() => {})),
  type('Loop', 'thread', () => {
    for (;;);
  }),
  type('Exit', 'thread', () => process.exit(3)),
  type('KillChild', 'process', () => {
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => {});
  }),
  // In a thread of the daemon this is the daemon's own process.
  type('KillProcess', 'thread', () => {
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => {});
  }),
  type('Hog', 'thread', () => {
    const kept: unknown[] = [];
    for (;;) kept.push(Array.from({ length: 10_000 }, (_, n) => ({ n })));
  }),
] as readonly JobType[];
