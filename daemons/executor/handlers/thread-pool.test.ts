import { createLogger } from '@jobber/shared/log';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { jobTypes } from '../testing/poison-types.fixture.ts';
import { failureOf, handlerRunner } from '../testing/run-handler.ts';
import { POISON_TYPES } from '../testing/test-executor.ts';
import type { HandlerFailed, HandlerPool } from './handler-run.ts';
import { PROGRESS_MS } from './handler-voice.ts';
import { createThreadPool } from './thread-pool.ts';

let pool: HandlerPool;
beforeAll(() => {
  pool = createThreadPool({
    threads: 2,
    memoryMb: 64,
    idleMs: 30_000,
    modules: [POISON_TYPES],
    environment: { SEEN: 'yes' },
    log: createLogger({ daemon: 'test', level: 'silent' }),
  });
});
afterAll(() => pool.close());

const run = handlerRunner(() => pool, jobTypes);

test('a handler gets its items and answers one result each', async () => {
  const report = await run('echo', { values: [{ n: 1 }, { n: 2 }] });
  expect(report.items.map(({ resultJson }) => JSON.parse(resultJson))).toEqual([
    { jobId: 1, index: 0, value: { n: 1 } },
    { jobId: 1, index: 1, value: { n: 2 } },
  ]);
  expect(report.countersJson).toBe('{"echoed":2}');
});

test('what a handler logs arrives with its fields', async () => {
  const log = vi.fn();
  await run('chatter', { log });
  await vi.waitFor(() => expect(log).toHaveBeenCalledWith('working', { fields: '{"step":1}' }), 30_000);
});

test('a handler that computes without a pause is heard all the same', async () => {
  const progress = vi.fn();
  const started = performance.now();
  await run('compute', { progress });
  expect(progress.mock.calls.length).toBeGreaterThan(0);
  expect(progress.mock.calls.length).toBeLessThanOrEqual((performance.now() - started) / PROGRESS_MS);
  expect(progress).toHaveBeenCalledWith({ done: expect.any(Number), total: 0, note: '' });
});

test('a handler sees the environment it is given and nothing else', async () => {
  const report = await run('secret');
  expect(JSON.parse(report.items[0]!.resultJson)).toEqual(['SEEN']);
});

test('what a handler throws is its failure, by name and message', async () => {
  expect(await failureOf(run('throw'))).toMatchObject({ reason: 'RangeError', consequence: 'retry' });
  expect(await failureOf(run('throw-permanently'))).toMatchObject({
    reason: 'PermanentError',
    consequence: 'fail',
  });
  expect(await failureOf(run('throw-unavailable'))).toEqual({
    reason: 'Unavailable',
    message: 'The mail server is away',
    consequence: 'defer',
  });
  expect(await failureOf(run('throw-nothing'))).toEqual({
    reason: 'Error',
    message: 'The handler threw undefined',
    consequence: 'retry',
  });
});

test('a handler that ends its thread fails, and the pool goes on', async () => {
  expect(await failureOf(run('exit'))).toEqual({
    reason: 'HandlerExited',
    message: 'The handler ended its thread with code 3',
    consequence: 'retry',
  });
  await run('echo');
});

test('a handler that needs too much memory fails, and the pool goes on', async () => {
  expect(await failureOf(run('hog'))).toMatchObject({ reason: 'OutOfMemory' });
  await run('echo');
});

test('an error out of the blue fails the task that runs', async () => {
  expect(await failureOf(run('stray'))).toMatchObject({ message: 'thrown from a timer' });
  await run('echo');
});

test.each(['hang', 'loop', 'obedient'])(
  'a running handler (%s) is ended soon after its abort',
  async (slug) => {
    const controller = new AbortController();
    const running = run(slug, {
      signal: controller.signal,
      onStart: () => controller.abort(new Error('enough')),
    });
    await expect(running).rejects.toThrow('enough');
  },
);

test('handlers that hang in every thread do not keep others waiting once they are aborted', async () => {
  const controllers = [new AbortController(), new AbortController()];
  const hanging = controllers.map(({ signal }) =>
    run('loop', { signal }).catch((error: Error) => error.message),
  );
  const waiting = Array.from({ length: 20 }, () => run('echo'));
  for (const controller of controllers) controller.abort(new Error('enough'));
  expect(await Promise.all(hanging)).toEqual(['enough', 'enough']);
  await Promise.all(waiting);
});

test('a task that waits is dropped when it is aborted, without starting', async () => {
  const blocking = new AbortController();
  const blockers = [0, 1].map(() => run('loop', { signal: blocking.signal }).catch(() => {}));
  const controller = new AbortController();
  const onStart = vi.fn();
  const waiting = run('echo', { signal: controller.signal, onStart });
  controller.abort(new Error('never mind'));
  await expect(waiting).rejects.toThrow('never mind');
  expect(onStart).not.toHaveBeenCalled();
  blocking.abort(new Error('enough'));
  await Promise.all(blockers);
});

test('thousands of tiny tasks are all answered, each with its own result', async () => {
  const reports = await Promise.all(
    Array.from({ length: 5_000 }, (_, n) => run('echo', { values: [{ n }] })),
  );
  expect(reports.map(({ items }) => JSON.parse(items[0]!.resultJson).value.n)).toEqual(
    Array.from({ length: 5_000 }, (_, n) => n),
  );
});

test('tasks that wait in a thread behind a long one are run by the other thread', async () => {
  await Promise.all(Array.from({ length: 500 }, () => run('sleep', { values: [{ n: 0 }] })));
  const controller = new AbortController();
  const long = run('sleep', { values: [{ n: 3_600_000 }], signal: controller.signal });
  const short = Array.from({ length: 50 }, () => run('sleep', { values: [{ n: 0 }] }));
  await Promise.all(short);
  controller.abort(new Error('enough'));
  await expect(long).rejects.toThrow('enough');
});

test('a task that kills its thread takes none of its neighbours along', async () => {
  const neighbours = Array.from({ length: 200 }, (_, n) => run('echo', { values: [{ n }] }));
  const killers = Array.from({ length: 4 }, () => run('exit').catch((error: HandlerFailed) => error.reason));
  const others = Array.from({ length: 200 }, (_, n) => run('echo', { values: [{ n }] }));
  expect(await Promise.all(killers)).toEqual(Array(4).fill('HandlerExited'));
  await Promise.all([...neighbours, ...others]);
});
