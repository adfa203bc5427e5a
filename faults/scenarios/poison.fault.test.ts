import { once } from 'node:events';
import { connect } from 'node:net';
import { AckStatus, ItemStatus, JobsServiceDefinition, LeaseStatus } from '@jobber/proto/jobs/v1/jobs';
import { createGrpcClient, deadline } from '@jobber/shared/grpc';
import { createScope } from '@jobber/shared/lifecycle';
import { createLogger } from '@jobber/shared/log';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fibonacciWork, loadWork } from '../load/workloads.ts';
import { waitUntil } from '../wait-until.ts';
import { submitInBackground } from './background.ts';
import { useWorld } from './test-world.ts';

const world = useWorld('poison');
const EXECUTOR = 'forger-1';

/** Jobs as an executor sees it. @param secret another one than the platform's is not believed */
function jobsClient(secret = world.get().platform.serviceSecret) {
  const scope = createScope(createLogger({ daemon: 'faults', level: 'silent' }));
  onTestFinished(() => scope.release());
  const address = `127.0.0.1:${world.get().platform.jobsGrpcPort}`;
  return createGrpcClient(JobsServiceDefinition, {
    address,
    caller: 'executor',
    serviceSecret: secret,
    tls: undefined,
    scope,
  });
}

describe('bytes that are no message', () => {
  const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
  const garbage = () => Buffer.from(Array.from({ length: 4_096 }, () => world.random.integer(0, 255)));
  const POISON: [string, () => Buffer][] = [
    ['noise', garbage],
    [
      'a request of HTTP/1.1',
      () => Buffer.from('POST /jobs HTTP/1.1\r\nhost: x\r\ncontent-length: 99999\r\n\r\n{}'),
    ],
    ['noise behind the preface of HTTP/2', () => Buffer.concat([Buffer.from(PREFACE), garbage()])],
    ['an endless frame', () => Buffer.concat([Buffer.from(PREFACE), Buffer.alloc(64 * 1024, 0xff)])],
  ];

  test.each(POISON)('%s at the gRPC ports changes nothing', async (name, bytes) => {
    const { platform, during, hold } = world.get();
    const background = submitInBackground(world.get());
    await during({ name: `${name} at the gRPC ports` }, async () => {
      for (const port of [platform.jobsGrpcPort, platform.productsGrpcPort]) {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => {});
        await once(socket, 'connect');
        socket.write(bytes());
        socket.end();
        socket.resume();
        await waitUntil('it is closed', () => socket.destroyed || socket.readableEnded);
        socket.destroy();
      }
    });
    await background;
    await hold();
    expect(platform.replicas('jobs')[0]?.ends).toEqual([]);
  });
});

test('outcomes, heartbeats and starts of attempts that do not exist are superseded and change nothing', async () => {
  const { submitter, random, hold } = world.get();
  const jobId = (await submitter.submit(fibonacciWork(random, 30))) ?? 0;
  await hold();
  const client = jobsClient();
  const refs = [
    { jobId: 2 ** 40, seq: 0, attempt: 1 },
    { jobId, seq: 999, attempt: 1 },
    { jobId, seq: 0, attempt: 1 },
    { jobId, seq: 0, attempt: 77 },
  ];
  const items = [{ offset: 0, status: ItemStatus.SUCCEEDED, resultJson: '{"number":"1"}', error: undefined }];
  const outcomes = refs.map((ref) => ({ ref, items, interrupted: false, countersJson: '', durationMs: 1 }));
  const acknowledged = await client.acknowledgeJob({ executorId: EXECUTOR, outcomes }, deadline(30_000));
  expect(acknowledged.statuses).toEqual(refs.map(() => AckStatus.SUPERSEDED));
  const beats = await client.heartbeat({ executorId: EXECUTOR, refs }, deadline(30_000));
  expect(beats.statuses).toEqual(refs.map(() => LeaseStatus.LOST));
  for (const ref of refs) {
    const { result } = await client.startTask({ executorId: EXECUTOR, ref }, deadline(30_000));
    expect(result?.$case).toBe('superseded');
  }
  await hold();
});

test('an outcome that an attempt has already reported, and one for a later attempt, are superseded while it runs', async () => {
  const { submitter, platform, hold } = world.get();
  const jobId =
    (await submitter.submit({ name: 'Doze', slug: 'doze', items: [{ ms: 1_500 }, { ms: 100 }] })) ?? 0;
  const sql = `select 1 from task where job_id = $1 and seq = 1 and state = 'succeeded'`;
  await waitUntil(
    'one has ended',
    async () => (await platform.databases.query('jobs', sql, [jobId])).length > 0,
  );
  const items = [
    { offset: 0, status: ItemStatus.FAILED, resultJson: '', error: { reason: 'Forged', message: 'No.' } },
  ];
  const outcomes = [
    { ref: { jobId, seq: 1, attempt: 1 }, items, interrupted: false, countersJson: '', durationMs: 1 },
    { ref: { jobId, seq: 0, attempt: 9 }, items, interrupted: false, countersJson: '', durationMs: 1 },
    { ref: { jobId, seq: 0, attempt: 0 }, items, interrupted: true, countersJson: '', durationMs: 1 },
  ];
  const { statuses } = await jobsClient().acknowledgeJob(
    { executorId: EXECUTOR, outcomes: outcomes.slice(0, 2) },
    deadline(30_000),
  );
  expect(statuses).toEqual([AckStatus.SUPERSEDED, AckStatus.SUPERSEDED]);
  await jobsClient()
    .acknowledgeJob({ executorId: EXECUTOR, outcomes: outcomes.slice(2) }, deadline(30_000))
    .catch(() => {});
  await hold();
});

test('an acknowledgement without the service credential is refused', async () => {
  const { submitter, random, hold } = world.get();
  await submitter.submit(fibonacciWork(random, 3));
  const call = jobsClient('ffffffffffffffffffffffffffffffff').acknowledgeJob(
    { executorId: EXECUTOR, outcomes: [] },
    deadline(30_000),
  );
  await expect(call).rejects.toThrow(/UNAUTHENTICATED/);
  await hold();
});

const HANDLERS = [
  ['throws', 'Throw', 'throw'],
  ['throws on the event loop', 'InlineThrow', 'inline-throw'],
  ['hangs', 'Hang', 'hang'],
  ['hangs on the event loop', 'InlineHang', 'inline-hang'],
  ['blocks', 'Loop', 'loop'],
  ['exits', 'Exit', 'exit'],
  ['takes all memory', 'Hog', 'hog'],
  ['kills its own process, which is one of its own', 'KillChild', 'kill-child'],
  ['kills the executor each time', 'KillProcess', 'kill-process'],
] as const;

test.each(HANDLERS)(
  'a handler that %s ends as a dead letter, and other jobs go on',
  async (_, name, slug) => {
    const { submitter, random, during, hold } = world.get();
    const works = [fibonacciWork(random, 40), loadWork(random, 30)];
    await during({ name: `a handler: ${name}` }, async () => {
      await submitter.submit({ name, slug, items: [{}], expects: 'failure' });
      for (const work of works) await submitter.submit(work);
    });
    await hold();
  },
);
