import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { jobTypes } from '../testing/process-poison.fixture.ts';
import { failureOf, handlerRunner } from '../testing/run-handler.ts';
import { isRunning, PROCESS_POISON, until } from '../testing/test-executor.ts';
import type { HandlerPool, HandlerReport } from './handler-run.ts';
import { PROGRESS_MS } from './handler-voice.ts';
import { createProcessPool } from './process-pool.ts';

let pool: HandlerPool;
beforeAll(() => {
  pool = createProcessPool({
    processes: 2,
    memoryMb: 64,
    idleMs: 30_000,
    modules: [PROCESS_POISON],
    environment: { SEEN: 'yes' },
  });
});
afterAll(() => pool.close());

const run = handlerRunner(() => pool, jobTypes);
const resultOf = ({ items }: HandlerReport) => JSON.parse(items[0]?.resultJson ?? 'null');

test('a handler gets its items and answers one result each', async () => {
  const report = await run('process-echo', { values: [{ n: 1 }, { n: 2 }] });
  expect(report.items.map(({ resultJson }) => JSON.parse(resultJson))).toEqual([
    { jobId: 1, index: 0, value: { n: 1 } },
    { jobId: 1, index: 1, value: { n: 2 } },
  ]);
  expect(report.countersJson).toBe('{"echoed":2}');
});

test('a handler sees the trace that its job belongs to', async () => {
  expect(resultOf(await run('process-traced'))).toBe('00-trace');
});

test('what a handler logs arrives with its fields, and what it prints with its stream', async () => {
  const log = vi.fn();
  await run('process-chatter', { log });
  expect(log).toHaveBeenCalledWith('working', { fields: '{"step":1}' });
  await run('process-print', { log });
  // By a pipe of its own, which may be read after the answer.
  await vi.waitFor(
    () => expect(log).toHaveBeenCalledWith(expect.stringMatching(/^line 0 x+$/), { stream: 'stdout' }),
    30_000,
  );
});

test('what a process prints is logged with its task also when it is read after the answer', async () => {
  const log = vi.fn();
  await run('process-print-late', { log });
  await vi.waitFor(() => expect(log).toHaveBeenCalledWith('late', { stream: 'stdout' }), 30_000);
});

test('a handler that computes without a pause is heard all the same', async () => {
  const progress = vi.fn();
  const started = performance.now();
  await run('process-compute', { progress });
  expect(progress.mock.calls.length).toBeGreaterThan(0);
  expect(progress.mock.calls.length).toBeLessThanOrEqual((performance.now() - started) / PROGRESS_MS);
  expect(progress).toHaveBeenCalledWith({ done: expect.any(Number), total: 0, note: '' });
});

test('a handler sees the environment it is given and nothing else', async () => {
  expect(resultOf(await run('process-secret'))).toEqual(['SEEN']);
});

test('a process is used again for tasks of its job type, and never for those of another', async () => {
  const first = resultOf(await run('process-whoami'));
  expect(resultOf(await run('process-whoami'))).toBe(first);
  expect(resultOf(await run('process-whoami-too'))).not.toBe(first);
});

test('processes of types that have no tasks make room for those of others', async () => {
  const pids = new Set<number>();
  for (const slug of ['process-whoami', 'process-whoami-too', 'process-fork-and-answer', 'process-whoami']) {
    pids.add(resultOf(await run(slug)));
  }
  const all = Array.from({ length: 20 }, () => run('process-whoami').then(resultOf));
  expect(new Set(await Promise.all(all)).size).toBeLessThanOrEqual(2);
});

test.each([
  ['process-throw', { reason: 'RangeError', consequence: 'retry' }],
  ['process-throw-permanently', { reason: 'PermanentError', consequence: 'fail' }],
  ['process-throw-unavailable', { reason: 'Unavailable', consequence: 'defer' }],
  ['process-throw-nothing', { reason: 'Error', message: 'The handler threw undefined' }],
  ['process-stray', { reason: 'Error', message: 'thrown from a timer' }],
  ['process-exit', { reason: 'HandlerExited', message: 'The handler ended its process with code 3' }],
  ['process-exit-zero', { reason: 'HandlerExited', message: 'The handler ended its process with code 0' }],
  ['process-kill', { reason: 'HandlerExited', message: 'The handler was ended by SIGKILL' }],
  ['process-abort', { reason: 'HandlerExited', message: 'The handler was ended by SIGABRT' }],
  ['process-hog', { reason: 'OutOfMemory', message: 'The handler needed more than 64 MiB' }],
  ['process-leak-buffers', { reason: 'OutOfMemory', message: 'The handler needed more than 64 MiB' }],
  ['process-fork-hog', { reason: 'OutOfMemory', message: 'The handler needed more than 64 MiB' }],
  ['process-flood', { reason: 'InvalidResult' }],
  ['process-announce-giant', { reason: 'InvalidResult' }],
  ['process-nonsense', { reason: 'InvalidResult' }],
])('a handler that does its worst (%s) fails its own task, and the pool goes on', async (slug, failure) => {
  expect(await failureOf(run(slug))).toMatchObject({ consequence: 'retry', ...failure });
  await run('process-echo');
});

test('a result that is too large is refused, and harms nobody', async () => {
  const { items } = await run('process-giant-result', { values: [1, 2] });
  expect(items.map(({ error }) => error?.reason)).toEqual(['ResultTooLarge', 'ResultTooLarge']);
});

test.each(['hang', 'loop', 'stop', 'obedient'])(
  'a running handler (%s) is ended soon after its abort',
  async (name) => {
    const controller = new AbortController();
    const running = run(`process-${name}`, {
      signal: controller.signal,
      onStart: () => controller.abort(new Error('enough')),
    });
    await expect(running).rejects.toThrow('enough');
  },
);

test('what a handler has started ends with its process', async () => {
  const pids: unknown[] = [];
  const log = (_: string, fields: unknown) => {
    pids.push(JSON.parse((fields as { fields: string }).fields).pid);
  };
  const controller = new AbortController();
  const hanging = run('process-fork-and-hang', { signal: controller.signal, log });
  await until(() => pids.length === 1, 'the grandchild has started');
  expect(isRunning(pids[0])).toBe(true);
  controller.abort(new Error('enough'));
  await expect(hanging).rejects.toThrow('enough');
  expect(await failureOf(run('process-fork-and-exit', { log }))).toMatchObject({ reason: 'HandlerExited' });
  pids.push(resultOf(await run('process-fork-and-answer')));
  expect(pids).toHaveLength(3);
  await until(() => !pids.some(isRunning), 'the grandchildren have ended');
});

test('tasks that wait for a process are run one after the other, and dropped when they are aborted', async () => {
  const controller = new AbortController();
  const hanging = [1, 2].map(() => run('process-loop', { signal: controller.signal }).catch(() => 'ended'));
  const aborted = new AbortController();
  const onStart = vi.fn();
  const dropped = run('process-echo', { signal: aborted.signal, onStart });
  const waiting = Array.from({ length: 10 }, () => run('process-echo'));
  aborted.abort(new Error('never mind'));
  await expect(dropped).rejects.toThrow('never mind');
  controller.abort(new Error('enough'));
  expect(await Promise.all(hanging)).toEqual(['ended', 'ended']);
  await Promise.all(waiting);
  expect(onStart).not.toHaveBeenCalled();
});

test('a closed pool leaves no process behind', async () => {
  const closing = createProcessPool({
    processes: 1,
    memoryMb: 64,
    idleMs: 30_000,
    modules: [PROCESS_POISON],
    environment: {},
  });
  const pid = resultOf(await handlerRunner(() => closing, jobTypes)('process-whoami'));
  expect(isRunning(pid)).toBe(true);
  await closing.close();
  expect(isRunning(pid)).toBe(false);
});

test('a process without work ends after a while', async () => {
  const brief = createProcessPool({
    processes: 1,
    memoryMb: 64,
    idleMs: 20,
    modules: [PROCESS_POISON],
    environment: {},
  });
  const pid = resultOf(await handlerRunner(() => brief, jobTypes)('process-whoami'));
  await until(() => !isRunning(pid), 'it has ended');
  await brief.close();
});
