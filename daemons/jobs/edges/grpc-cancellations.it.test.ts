import { Status } from 'nice-grpc-common';
import { afterEach, expect, test } from 'vitest';
import { startTestJobs } from '../testing/test-jobs.ts';

const jobs = await startTestJobs();
const replica = await startTestJobs({ beside: jobs });
const { auth, accept, ask } = jobs;
const member = auth.user();
const watchers: AbortController[] = [];

afterEach(() => {
  for (const watcher of watchers.splice(0)) watcher.abort();
});

interface Watch {
  /** Messages so far, as lists of ids. */
  readonly messages: number[][];
  /** Resolves with the stream, to the name of its error. */
  readonly ended: Promise<string>;
}

function watch(of: typeof jobs, executorId = 'executor-1', client = of.client()): Watch {
  const controller = new AbortController();
  watchers.push(controller);
  const messages: number[][] = [];
  const read = async () => {
    for await (const { jobIds } of client.watchCancellations({ executorId }, { signal: controller.signal })) {
      messages.push([...jobIds]);
    }
    return 'OK';
  };
  return { messages, ended: read().catch(({ code, name }) => Status[code] ?? name) };
}

const cancel = (through: typeof jobs, id: number) =>
  through.ask(member, 'mutation ($id: Float!) { cancelJob(id: $id) { status } }', { id });

test('every executor is told of a cancelled job without a heartbeat, whichever replica it watches', async () => {
  const watches = [watch(jobs), watch(jobs, 'executor-2'), watch(replica)];
  for (const { messages } of watches) await expect.poll(() => messages).toEqual([[]]);
  for (const through of [jobs, replica]) {
    const id = await accept(member, { text: 'a' });
    expect((await cancel(through, id)).data.cancelJob.status).toBe('CANCELLED');
    for (const { messages } of watches) {
      await expect.poll(() => messages.flat(), { interval: 10 }).toContain(id);
    }
  }
});

test('100 jobs that are cancelled at once are all told, each once', async () => {
  const watched = watch(replica);
  await expect.poll(() => watched.messages.length).toBe(1);
  const ids = await Promise.all(Array.from({ length: 100 }, () => accept(member, { text: 'a' })));
  await Promise.all(ids.flatMap((id) => [cancel(jobs, id), cancel(replica, id)]));
  await expect.poll(() => watched.messages.flat().length).toBe(100);
  expect(watched.messages.flat().toSorted((a, b) => a - b)).toEqual(ids.toSorted((a, b) => a - b));
});

test('a job that has ended is not told when somebody wants to cancel it', async () => {
  const watched = watch(jobs);
  await expect.poll(() => watched.messages.length).toBe(1);
  const { rows } = await jobs.database.pool.query(
    `insert into job (owner_id, type, status, size, completed, ended_at)
     values ($1, 'echo', 'COMPLETED', 1, 1, now()) returning id`,
    [member.id],
  );
  expect((await cancel(jobs, Number(rows[0].id))).errors?.[0]?.extensions.reason).toBe('JOB_ENDED');
  const id = await accept(member, { text: 'a' });
  await cancel(jobs, id);
  await expect.poll(() => watched.messages.flat()).toEqual([id]);
});

test('nobody but an executor with its credential may watch, under a name that is one', async () => {
  expect(await watch(jobs, 'executor-1', jobs.client('products')).ended).toBe('PERMISSION_DENIED');
  expect(await watch(jobs, 'executor-1', jobs.client('auth')).ended).toBe('PERMISSION_DENIED');
  expect(await watch(jobs, 'executor-1', jobs.client('executor', 'x'.repeat(32))).ended).toBe(
    'UNAUTHENTICATED',
  );
  for (const name of ['', 'a b', '\u001b[31m', 'x'.repeat(201)]) {
    expect(await watch(jobs, name).ended).toBe('INVALID_ARGUMENT');
  }
});

test('the stream ends when its replica stops, and the executor may go to another one', async () => {
  const third = await startTestJobs({ beside: jobs });
  const watched = watch(third, 'executor-1', jobs.client('executor', undefined, third.grpcAddress));
  await expect.poll(() => watched.messages.length).toBe(1);
  await third.scope.release();
  expect(await watched.ended).toBe('OK');
  expect((await ask(member, '{ jobs(limit: 1) { id } }')).data.jobs).toHaveLength(1);
});
