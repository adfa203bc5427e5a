import { expect, test } from 'vitest';
import { startFakeExecutor, success } from '../testing/fake-executor.ts';
import { bearer, startTestJobs } from '../testing/test-jobs.ts';

const jobs = await startTestJobs();
const { auth, accept, ask } = jobs;
const member = auth.user();
const client = jobs.client();

interface Watched {
  /** Events so far. */
  readonly events: {
    status: string;
    completed: number;
    failed: number;
    size: number;
    endedAt: string | null;
  }[];
  /** What was told of the progress of running tasks. */
  readonly progress: { id: number; running: unknown[] }[];
  /** How often it was told that nothing has changed. */
  beats(): number;
  /** Resolves with the stream. */
  readonly ended: Promise<void>;
  abort(): void;
}

async function watch(id: number, user = member): Promise<Watched> {
  const controller = new AbortController();
  const response = await fetch(`${jobs.origin}/jobs/${id}/events`, {
    headers: bearer(user),
    signal: controller.signal,
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const events: Watched['events'] = [];
  const progress: Watched['progress'] = [];
  let beats = 0;
  const body = response.body as ReadableStream<Uint8Array>;
  const read = async () => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const [event, data] = block.split('\n');
        if (event?.startsWith(':')) beats += 1;
        const parse = () => JSON.parse(data?.slice('data: '.length) ?? '');
        if (event === 'event: job') events.push(parse());
        if (event === 'event: progress') progress.push(parse());
      }
    }
  };
  const ended = read().catch(() => {});
  return { events, progress, beats: () => beats, ended, abort: () => controller.abort() };
}

test('the job is told at once, after each change, and for the last time when it has ended', async () => {
  const id = await accept(member, [{ text: 'a' }, { text: 'b' }, { text: 'c' }]);
  const watched = await watch(id);
  await expect.poll(() => watched.events.length).toBe(1);
  expect(watched.events[0]).toEqual({
    id,
    status: 'IN_PROGRESS',
    size: 3,
    completed: 0,
    failed: 0,
    startedAt: expect.any(String),
    endedAt: null,
  });
  const executor = startFakeExecutor(client);
  executor.grant(10);
  await expect.poll(() => executor.tasks.length).toBe(2);
  for (const [index, task] of executor.tasks.entries()) {
    await client.acknowledgeJob({ executorId: 'executor-1', outcomes: [success(task)] });
    await expect.poll(() => watched.events.length).toBe(index + 2);
  }
  await watched.ended;
  expect(watched.events.map(({ status, completed }) => [status, completed])).toEqual([
    ['IN_PROGRESS', 0],
    ['IN_PROGRESS', 2],
    ['COMPLETED', 3],
  ]);
  expect(watched.events.at(-1)?.endedAt).toEqual(expect.any(String));
  await executor.close();
});

test('a job that has ended is told once', async () => {
  const id = await accept(member, { text: 'a' });
  await ask(member, 'mutation ($id: Float!) { cancelJob(id: $id) { id } }', { id });
  const watched = await watch(id);
  await watched.ended;
  expect(watched.events).toMatchObject([{ status: 'CANCELLED' }]);
});

test('what handlers say about their progress is told while their tasks run, and not twice', async () => {
  const id = await accept(member, [{ text: 'a' }, { text: 'b' }, { text: 'c' }]);
  const watched = await watch(id);
  const executor = startFakeExecutor(client);
  executor.grant(2);
  await expect.poll(() => executor.tasks.length).toBe(2);
  const [first, second] = executor.tasks;
  await client.heartbeat({
    executorId: 'executor-1',
    refs: [first!.ref!, second!.ref!],
    progress: [{ ref: second!.ref!, done: 1, total: 10, note: 'reading' }],
  });
  await expect.poll(() => watched.progress.length).toBe(1);
  const told = {
    id,
    running: [
      {
        task: second!.ref!.seq,
        attempt: 1,
        items: second!.itemCount,
        executor: 'executor-1',
        progress: { done: 1, total: 10, note: 'reading', at: expect.any(String) },
      },
    ],
  };
  expect(watched.progress).toEqual([told]);
  await client.acknowledgeJob({
    executorId: 'executor-1',
    outcomes: [success(first!), success(second!)],
  });
  await watched.ended;
  expect(watched.events.at(-1)).toMatchObject({ status: 'COMPLETED' });
  expect(watched.progress).toHaveLength(1);
  await executor.close();
});

test('many changes in a short time are told as few', async () => {
  const id = await accept(
    member,
    Array.from({ length: 200 }, (_, i) => ({ text: `${i}` })),
  );
  const watched = await watch(id);
  const executor = startFakeExecutor(client);
  executor.grant(100);
  await expect.poll(() => executor.tasks.length).toBe(100);
  const started = performance.now();
  for (const task of executor.tasks)
    await client.acknowledgeJob({ executorId: 'executor-1', outcomes: [success(task)] });
  await watched.ended;
  const elapsed = performance.now() - started;
  expect(watched.events.length).toBeLessThanOrEqual(4 + elapsed / 100);
  expect(watched.events.at(-1)).toMatchObject({ status: 'COMPLETED', completed: 200 });
  const counts = watched.events.map(({ completed }) => completed);
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  await executor.close();
});

test('a job that ends while its watcher arrives is told as ended all the same', async () => {
  let late = 0;
  for (let round = 0; round < 20; round += 1) {
    const id = await accept(member, { text: 'a' });
    const [watched] = await Promise.all([
      watch(id),
      ask(member, 'mutation ($id: Float!) { cancelJob(id: $id) { id } }', { id }),
    ]);
    const started = performance.now();
    await watched.ended;
    if (performance.now() - started > 4_500) late += 1;
    expect(watched.events.at(-1)?.status).toBe('CANCELLED');
  }
  // By the look at the database, which makes good for a lost word, or because the machine stood still for so long.
  expect(late).toBeLessThan(3);
});

test("a missing job, a stranger's and a request of nobody are refused before the stream begins", async () => {
  const id = await accept(member, { text: 'a' });
  const get = async (path: string, headers: Record<string, string>) => {
    const response = await fetch(`${jobs.origin}/jobs/${path}/events`, { headers });
    return [response.status, await response.json()] as const;
  };
  const stranger = bearer(auth.user());
  const refusal = (n: number | string) => ({
    message: `Job with ID ${n} not found`,
    code: 404,
    reason: 'JOB_NOT_FOUND',
  });
  expect(await get(`${id}`, stranger)).toEqual([404, refusal(id)]);
  expect(await get('999999', stranger)).toEqual([404, refusal(999999)]);
  expect(await get('99999999999999999999', stranger)).toEqual([404, refusal('100000000000000000000')]);
  for (const path of ['-1', '1.5', 'abc', '1%00', '..']) expect((await get(path, stranger))[0]).toBe(404);
  expect(await get(`${id}`, {})).toMatchObject([401, { message: 'Unauthorized' }]);
  const cookie = { cookie: `Authentication=${member.token}`, origin: 'https://evil.example' };
  expect((await get(`${id}`, cookie))[0]).toBe(403);
  const operator = await watch(id, auth.user('operator'));
  await expect.poll(() => operator.events.length).toBe(1);
  operator.abort();
});

test('whoever goes away makes room: a user may watch a hundred jobs at a time', async () => {
  const user = auth.user();
  const id = await accept(user, { text: 'a' });
  /** A hundred streams, as soon as there is room for all of them. */
  async function watchHundred(): Promise<Watched[]> {
    let watched: Watched[] = [];
    const open = async () => {
      const all = await Promise.allSettled(Array.from({ length: 100 }, () => watch(id, user)));
      watched = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      if (watched.length < 100) for (const { abort } of watched) abort();
      return watched.length;
    };
    await expect.poll(open).toBe(100);
    return watched;
  }
  for (let round = 0; round < 3; round += 1) {
    const watched = await watchHundred();
    const oneMore = await fetch(`${jobs.origin}/jobs/${id}/events`, { headers: bearer(user) });
    expect(oneMore.status).toBe(429);
    expect(await oneMore.json()).toMatchObject({ reason: 'THROTTLED', details: { limit: 100 } });
    for (const { abort } of watched) abort();
  }
});

test('a stream ends with the login that it was opened with, and not because Auth is away', async () => {
  const user = auth.user();
  const id = await accept(user, { text: 'a' });
  const watched = await watch(id, user);
  await auth.stop();
  await expect.poll(() => watched.beats()).toBeGreaterThan(0);
  await auth.start();
  await auth.logOut(user);
  await watched.ended;
  expect(watched.events).toHaveLength(1);
});
