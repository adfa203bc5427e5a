// Job types that tests run in threads and inline: well-behaved ones, and each kind of poison.
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobType, TaskContext, TaskResult } from '@jobber/job-types';

type Run = (context: TaskContext<unknown>) => Promise<TaskResult>;

function type(name: string, runs: JobType['runs'], run: Run): JobType {
  return {
    name,
    slug: name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase(),
    version: 1,
    description: `${name}, for tests`,
    inputSchema: { type: 'object', properties: { n: { type: 'integer' }, ok: { type: 'boolean' } } },
    itemsPerTask: 10,
    retry: { maxAttempts: 3, backoffMs: 10, maxBackoffMs: 100 },
    limits: { timeoutMs: 30_000, maxItems: 1_000 },
    runs,
    run,
  };
}

const echo: Run = async ({ jobId, items }) => ({
  items: items.map(({ index, value }) => ({ status: 'succeeded', result: { jobId, index, value } })),
  counters: { echoed: items.length },
});

const untilAborted: Run = ({ signal }) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

async function chatter(context: TaskContext<unknown>): Promise<TaskResult> {
  context.log('working', { step: 1 });
  return echo(context);
}

async function report(context: TaskContext<unknown>): Promise<TaskResult> {
  context.log('begun', { step: 1 });
  context.progress(1, 4, 'one');
  context.progress(2, 4, 'two\nof four');
  return untilAborted(context);
}

/** Succeeds when the gate is opened, the file that its item names, and was not aborted before. */
async function gated(context: TaskContext<unknown>): Promise<TaskResult> {
  context.log('begun', {});
  for (const { value } of context.items) while (!existsSync((value as { gate: string }).gate)) await delay(5);
  context.signal.throwIfAborted();
  return echo(context);
}

/** Never gives way to a timer. However long the machine stands still, it speaks once more after that. */
async function compute(context: TaskContext<unknown>): Promise<TaskResult> {
  const started = performance.now();
  let round = 0;
  do context.progress(++round);
  while (performance.now() < started + 1_200);
  context.progress(++round);
  return echo(context);
}

/** What JavaScript lets one say. */
async function babble(context: TaskContext<unknown>): Promise<TaskResult> {
  const { log, progress } = context as unknown as Record<'log' | 'progress', (...said: unknown[]) => void>;
  const nonsense = [undefined, Object.create(null), 1n, Symbol('s'), -1, Number.NaN, 'x'.repeat(1_000_000)];
  for (const said of nonsense) {
    log?.(said, { said });
    progress?.(said, said, said);
  }
  for (let line = 0; line < 1_000; line++) log?.('again');
  return echo(context);
}

const traced: Run = async ({ items, traceparent }) => ({
  items: items.map(() => ({ status: 'succeeded', result: traceparent })),
});

function hog(): never {
  const kept: unknown[] = [];
  for (;;) kept.push(Array.from({ length: 10_000 }, (_, i) => ({ i })));
}

async function mixed({ items }: TaskContext<unknown>): Promise<TaskResult> {
  const ways = [
    { status: 'succeeded', result: 1 },
    { status: 'failed', reason: 'Bad', message: 'It is bad' },
    { status: 'retry', reason: 'Later', message: 'Not yet' },
    { status: 'succeeded', result: 'x'.repeat(300 * 1024) },
    { status: 'succeeded', result: 'a\0b' },
    { status: 'odd' },
  ] as unknown as TaskResult['items'];
  return { items: ways.slice(0, items.length) };
}

class PermanentError extends Error {
  override readonly name = 'PermanentError';
}

class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

export const jobTypes: readonly JobType[] = [
  type('Echo', 'thread', echo),
  type('InlineEcho', 'inline', echo),
  type('Chatter', 'thread', chatter),
  type('InlineChatter', 'inline', chatter),
  type('Report', 'thread', report),
  type('InlineReport', 'inline', report),
  type('Compute', 'thread', compute),
  type('Babble', 'thread', babble),
  type('InlineBabble', 'inline', babble),
  type('Traced', 'thread', traced),
  type('InlineTraced', 'inline', traced),
  type('Mixed', 'thread', mixed),
  type('Obedient', 'thread', untilAborted),
  type('InlineObedient', 'inline', untilAborted),
  type('Sleep', 'thread', async (context) => {
    for (const { value } of context.items) await delay((value as { n: number }).n);
    return echo(context);
  }),
  type('Gated', 'thread', gated),
  type('Throw', 'thread', () => Promise.reject(new RangeError(`too ${'far '.repeat(500)}`))),
  type('InlineThrow', 'inline', () => {
    throw new TypeError('thrown at once');
  }),
  type('ThrowPermanently', 'thread', () => Promise.reject(new PermanentError('never again'))),
  type('ThrowUnavailable', 'thread', () => Promise.reject(new UnavailableError('The mail server is away'))),
  type('InlineThrowUnavailable', 'inline', () => Promise.reject(new UnavailableError('The shop is away'))),
  type('ThrowNothing', 'thread', () => Promise.reject(undefined)),
  type('Hang', 'thread', () => new Promise(() => {})),
  type('InlineHang', 'inline', () => new Promise(() => {})),
  type('Loop', 'thread', () => {
    for (;;);
  }),
  type('Exit', 'thread', () => process.exit(3)),
  type('Hog', 'thread', hog),
  type('Stray', 'thread', () => {
    setTimeout(() => {
      throw new Error('thrown from a timer');
    }, 1);
    return new Promise(() => {});
  }),
  type('Secret', 'thread', async ({ items }) => ({
    items: items.map(() => ({ status: 'succeeded', result: Object.keys(process.env) })),
  })),
];
