import { type DatabaseGate, SOON_MS, startDatabaseGate } from '@jobber/compose/test-database-gate';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { startFakeExecutor, success } from './testing/fake-executor.ts';
import { bearer, EXECUTE, formWith, JOB, startTestJobs } from './testing/test-jobs.ts';

let gate: DatabaseGate | undefined;
const jobs = await startTestJobs({
  leaseSeconds: 60,
  async throughUrl(url) {
    gate = await startDatabaseGate(url);
    return gate.url;
  },
});
const { auth, ask } = jobs;
const member = auth.user();
const client = jobs.client();
const database = gate as unknown as DatabaseGate;
afterAll(() => database.close());

const ready = async () => (await fetch(`${jobs.origin}/jobs/ready`)).status;
const live = async () => (await fetch(`${jobs.origin}/jobs/live`)).status;

/** Every kind of request, with how it was refused and after how many milliseconds. */
async function everyRequest(id: number) {
  const graphql = (query: string, variables: object) => async () =>
    (await ask(member, query, variables)).errors?.[0];
  const http = (path: string, init: RequestInit) => async () => {
    const response = await fetch(`${jobs.origin}${path}`, init);
    const { message, code, reason } = (await response.json()) as Record<string, unknown>;
    expect(response.status).toBe(code);
    return { message, extensions: { code, reason } };
  };
  const requests = [
    graphql(EXECUTE, { input: { name: 'Echo', data: { text: 'a' } } }),
    graphql(EXECUTE, { input: { name: 'Echo', data: { fileName: `${crypto.randomUUID()}.json` } } }),
    graphql(JOB, { id }),
    graphql('query { jobs { id counters } }', {}),
    graphql('mutation ($id: Float!) { cancelJob(id: $id) { id } }', { id }),
    http('/jobs/uploads/file', { method: 'POST', headers: bearer(member), body: formWith('[{"text":"a"}]') }),
    http(`/jobs/${id}/events`, { headers: bearer(member) }),
  ];
  return Promise.all(
    requests.map(async (request) => {
      const started = performance.now();
      const refusal = await request();
      return { refusal, ms: performance.now() - started };
    }),
  );
}

async function expectUnavailable(id: number): Promise<void> {
  for (const { refusal, ms } of await everyRequest(id)) {
    expect(refusal).toMatchObject({
      message: expect.stringMatching(/try again$/),
      extensions: { code: 503, reason: 'UNAVAILABLE' },
    });
    expect(ms).toBeLessThan(SOON_MS);
  }
}

let id = 0;
beforeEach(async () => {
  await expect.poll(ready).toBe(200);
  await expect
    .poll(async () => {
      id = await jobs.accept(member, { text: 'a' }).catch(() => 0);
      return id;
    })
    .toBeGreaterThan(0);
});

test('while the database is stopped requests are refused as retryable, and all recovers by itself', async () => {
  const executor = startFakeExecutor(client);
  database.cut();
  await expectUnavailable(id);
  expect([await ready(), await live()]).toEqual([503, 200]);
  const metrics = await fetch(`${jobs.origin}/metrics`);
  expect(metrics.status).toBe(200);
  const refs = [{ jobId: id, seq: 0, attempt: 1 }];
  await expect(client.heartbeat({ executorId: 'executor-1', refs })).rejects.toMatchObject({
    details: expect.stringMatching(/try again$/),
  });
  executor.grant(100);
  database.open();
  await expect.poll(ready).toBe(200);
  await expect.poll(() => executor.tasks.length).toBeGreaterThan(0);
  const outcomes = executor.tasks.map((task) => success(task, 'after the outage'));
  await client.acknowledgeJob({ executorId: 'executor-1', outcomes });
  expect((await ask(member, JOB, { id })).data.job.result).toBe('after the outage');
  await executor.close();
});

test('while the database is silent requests are answered in time all the same', async () => {
  database.fallSilent();
  await expectUnavailable(id);
  expect([await ready(), await live()]).toEqual([503, 200]);
  database.open();
});

test('a stream of events lives through an outage, and listening goes on after it', async () => {
  const response = await fetch(`${jobs.origin}/jobs/${id}/events`, { headers: bearer(member) });
  const reader = (response.body as ReadableStream<Uint8Array>)
    .pipeThrough(new TextDecoderStream())
    .getReader();
  let text = (await reader.read()).value ?? '';
  expect(text).toContain('IN_PROGRESS');
  const logged = jobs.logLines.length;
  database.cut();
  await expect.poll(ready).toBe(503);
  database.open();
  await expect.poll(ready).toBe(200);
  await expect.poll(() => jobs.logLines.slice(logged).join('')).toContain('listening for changes again');
  // As another replica would do it.
  await jobs.database.pool.query("update job set status = 'CANCELLED', ended_at = now() where id = $1", [id]);
  await jobs.database.pool.query("select pg_notify('jobs_changed', $1)", [String(id)]);
  while (!text.includes('CANCELLED')) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  expect(text).toContain('CANCELLED');
});

test('while Auth is down or silent requests are refused as retryable, never as forbidden', async () => {
  await auth.stop();
  await expectUnavailable(id);
  expect([await ready(), await live()]).toEqual([200, 200]);
  await auth.start();
  await expect.poll(async () => (await ask(member, JOB, { id })).data?.job?.id).toBe(id);
  auth.fallSilent();
  await expectUnavailable(id);
});
