// The worker as its user runs it, against real daemons: the same on each way by which tasks reach it.
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import type { JobTypeInfo } from '../../cli/src/api/jobs.ts';
import { flagsOfType } from '../../cli/src/input/type-flags.ts';
import { type Client, connectClient } from '../../faults/load/client.ts';
import { writeToTopic } from '../../faults/platform/broker-topic.ts';
import { type FaultPlatform, startFaultPlatform } from '../../faults/platform/fault-platform.ts';
import { waitUntil } from '../../faults/wait-until.ts';
import { startWorker, type Worker } from './testing/start-worker.ts';

const { python, broker } = inject('pythonWorker');

/** Longer than any test: what has begun does not end by itself. */
const FOR_EVER = { WORKER_PAUSE_MS: '600000' };
const TEXTS = [
  { text: 'one two Two three' },
  { text: 'a bb ccc', minLength: 2 },
  { text: '' },
  { text: 'Ünïcode wörds, 中文 and 🦆' },
];
const COUNTS = [
  { words: 4, distinct: 3 },
  { words: 2, distinct: 2 },
  { words: 0, distinct: 0 },
  { words: 4, distinct: 4 },
];

describe.each([
  { way: 'direct', through: undefined },
  ...(broker ? [{ way: 'Pulsar', through: broker }] : []),
])('$way', ({ through }) => {
  let platform: FaultPlatform;
  let client: Client;
  const workers: Worker[] = [];

  beforeAll(async () => {
    platform = await startFaultPlatform({
      executors: 0,
      leaseSeconds: 5,
      ...(through && { broker: { serviceUrl: through.serviceUrl } }),
    });
    client = await connectClient(platform.urls);
  });
  afterEach(async () => {
    for (const worker of workers) worker.signal('SIGKILL');
    await Promise.all(workers.splice(0).map(({ ended }) => ended));
  });
  afterAll(() => platform?.stop());

  function start(environment: Readonly<Record<string, string>> = {}): Worker {
    const worker = startWorker(python, {
      JOBS_GRPC_URL: `127.0.0.1:${platform.jobsGrpcPort}`,
      SERVICE_SECRET: platform.serviceSecret,
      ...(through && { PULSAR_SERVICE_URL: through.binaryUrl, PULSAR_TOPIC_PREFIX: platform.topicPrefix }),
      ...environment,
    });
    workers.push(worker);
    return worker;
  }

  async function startReady(environment: Readonly<Record<string, string>> = {}): Promise<Worker> {
    const worker = start(environment);
    await worker.shows(through ? 'following hints of the broker' : 'receiving tasks from Jobs');
    return worker;
  }

  async function submit(data: unknown): Promise<number> {
    const answer = await client.executeJob({ name: 'word-count', data, idempotencyKey: crypto.randomUUID() });
    if (answer.kind !== 'accepted') throw new Error(JSON.stringify(answer));
    return answer.jobId;
  }

  const completed = (id: number) =>
    waitUntil(`job ${id} is completed`, async () => {
      const job = await client.readJob(id);
      return job?.status === 'COMPLETED' && job;
    });

  const tasks = (id: number) =>
    platform.databases.query<{ attempt: number; failures: number; interruptions: number }>(
      'jobs',
      'select attempt, failures, interruptions from task where job_id = $1 order by seq',
      [id],
    );

  /** Index, whether it has succeeded, and the result of each outcome that is stored. */
  async function outcomes(id: number): Promise<[number, number, unknown][]> {
    const rows = await platform.databases.query<{ first_item: number; decided: [number, number, unknown][] }>(
      'jobs',
      'select first_item, decided from task where job_id = $1 order by seq',
      [id],
    );
    return rows
      .flatMap(({ first_item, decided }) =>
        decided.map(([offset, ok, result]): [number, number, unknown] => [first_item + offset, ok, result]),
      )
      .sort(([a], [b]) => a - b);
  }

  const once = (counts: readonly unknown[]) => counts.map((result, index) => [index, 1, result]);

  test('the job type is in the catalog, and its schema makes the flags of the CLI', async () => {
    await startReady();
    const response = await fetch(`${platform.urls.jobs}/jobs/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${client.token}` },
      body: JSON.stringify({ query: '{ jobsMetadata { name slug available inputSchema } }' }),
    });
    const { data } = (await response.json()) as { data: { jobsMetadata: JobTypeInfo[] } };
    const type = data.jobsMetadata.find(({ slug }) => slug === 'word-count');
    expect(type).toMatchObject({ name: 'WordCount', available: true });
    expect(flagsOfType(type!).map(({ name, kind, required }) => [name, kind, required])).toEqual([
      ['text', 'string', true],
      ['min-length', 'number', false],
    ]);
  });

  test('a job of several tasks is completed with right results, each once', async () => {
    await startReady();
    const texts = Array.from({ length: 8 }, () => TEXTS).flat();
    const id = await submit(texts);
    expect(await completed(id)).toMatchObject({ size: 32, completed: 32, failed: 0 });
    expect(await outcomes(id)).toEqual(once(Array.from({ length: 8 }, () => COUNTS).flat()));
    expect((await tasks(id)).map(({ failures }) => failures)).toEqual([0, 0, 0, 0]);
  });

  test('while a task runs, heartbeats tell how many of its items are done', async () => {
    await startReady({ WORKER_PAUSE_MS: '3000' });
    const id = await submit(TEXTS);
    const told = () =>
      platform.databases.query<{ progress: { done: number; total: number; note: string } | null }>(
        'jobs',
        'select progress from task where job_id = $1',
        [id],
      );
    const progress = await waitUntil(
      'progress is told',
      async () => (await told())[0]?.progress ?? undefined,
    );
    expect(progress).toMatchObject({ total: TEXTS.length, note: 'counting words' });
    expect(progress?.done).toBeGreaterThan(0);
    await completed(id);
  });

  test('items come from files as well: NDJSON, JSON and CSV', async () => {
    await startReady();
    // More than one task holds.
    const texts = Array.from({ length: 4 }, () => TEXTS).flat();
    const files = {
      'texts.ndjson': texts.map((item) => `${JSON.stringify(item)}\n`).join(''),
      'texts.json': JSON.stringify(texts, null, 2),
      'texts.csv': `text,minLength\n${texts.map(({ text, minLength = '' }) => `"${text}",${minLength}\n`).join('')}`,
    };
    for (const [name, content] of Object.entries(files)) {
      const id = await submit({ fileName: await client.upload(name, content) });
      await completed(id);
      expect(await outcomes(id), name).toEqual(once(Array.from({ length: 4 }, () => COUNTS).flat()));
    }
  });

  test('input that does not fit the schema is refused, and no job is made', async () => {
    await startReady();
    const bad = { name: 'word-count', data: [{ text: 'a' }, { text: 5, minLength: 0 }] };
    expect(await client.executeJob({ ...bad, idempotencyKey: crypto.randomUUID() })).toMatchObject({
      kind: 'refused',
      code: 400,
      reason: 'INVALID_DATA',
    });
  });

  test('a worker is killed in the middle of a task: another one finishes it, each item once', async () => {
    const victim = await startReady(FOR_EVER);
    const id = await submit(TEXTS);
    await victim.shows(`attempt 1 of task 0 of job ${id} has begun`);
    victim.signal('SIGKILL');
    expect(await victim.ended).toBe('SIGKILL');
    await startReady();
    await completed(id);
    expect(await outcomes(id)).toEqual(once(COUNTS));
    expect(await tasks(id)).toEqual([{ attempt: 2, failures: 0, interruptions: 1 }]);
  });

  test('a worker that is stopped reports what it ran as interrupted, burns no attempt, and ends with 0', async () => {
    const stopped = await startReady(FOR_EVER);
    const id = await submit(TEXTS);
    await stopped.shows(`attempt 1 of task 0 of job ${id} has begun`);
    stopped.signal('SIGTERM');
    expect(await stopped.ended).toBe(0);
    expect(stopped.output()).toContain(`attempt 1 of task 0 of job ${id} has ended: recorded`);
    expect(await tasks(id)).toEqual([{ attempt: 1, failures: 0, interruptions: 1 }]);
    await startReady();
    await completed(id);
    expect(await outcomes(id)).toEqual(once(COUNTS));
    expect(await tasks(id)).toEqual([{ attempt: 2, failures: 0, interruptions: 1 }]);
  });

  test('a worker that has slept until another one did its work stops, and changes nothing', async () => {
    // With a second slot it would be given the task again, as long as its connection stands.
    const sleeper = await startReady({ ...FOR_EVER, WORKER_SLOTS: '1' });
    const id = await submit(TEXTS);
    await sleeper.shows(`attempt 1 of task 0 of job ${id} has begun`);
    sleeper.signal('SIGSTOP');
    await startReady();
    await completed(id);
    sleeper.signal('SIGCONT');
    await sleeper.shows(`attempt 1 of task 0 of job ${id} has ended`);
    expect(await outcomes(id)).toEqual(once(COUNTS));
  });

  test('a job that is cancelled is stopped at once', async () => {
    const worker = await startReady(FOR_EVER);
    const id = await submit(TEXTS);
    await worker.shows(`attempt 1 of task 0 of job ${id} has begun`);
    expect(await client.cancelJob(id)).toMatchObject({ kind: 'done' });
    await worker.shows(`attempt 1 of task 0 of job ${id} has ended: nobody waits for it: cancelled`);
  });

  test('a wrong service secret is refused: the worker says so, without the secret, and ends with 78', async () => {
    const secret = 'not-the-secret-of-this-platform-at-all';
    const worker = start({ SERVICE_SECRET: secret });
    expect(await worker.ended).toBe(78);
    expect(worker.output()).toContain(
      'Jobs refuses this worker: UNAUTHENTICATED: A valid service credential is required',
    );
    expect(worker.output()).not.toContain(secret);
  });

  test('Jobs goes away and comes back: the worker takes tasks again by itself', async () => {
    const worker = await startReady();
    const [jobs] = platform.replicas('jobs');
    await jobs?.terminate();
    // Over a broker there is nothing to see until a message comes.
    if (!through) await worker.shows('trying again');
    await jobs?.untilReady();
    const id = await submit(TEXTS);
    await completed(id);
    expect(await outcomes(id)).toEqual(once(COUNTS));
  });

  if (!through) return;

  test('messages that are no hints are dropped, and forged ones start nothing', async () => {
    const worker = await startReady();
    const topic = `${platform.topicPrefix}word-count-jobs`;
    const bodies = [
      '',
      'x',
      '[]',
      '{"v":2,"of":"a later release"}',
      '{"v":1,"job":999999,"task":0,"attempt":1}',
      '{"v":1,"job":1.5}',
    ];
    await writeToTopic(
      { webSocketUrl: through.serviceUrl, topic },
      bodies.map((body) => Buffer.from(body)),
    );
    const id = await submit(TEXTS);
    await completed(id);
    await worker.shows('a message on the topic was dropped');
    expect(worker.output()).not.toContain('job 999999');
  });
});
