// One contract for all ways by which tasks reach executors: the same tests on each, with real daemons and a real broker.
import { describe, expect, inject, test } from 'vitest';
import { connectClient } from '../load/client.ts';
import { dozeWork, fibonacciWork, loadWork } from '../load/workloads.ts';
import { writeToTopic } from '../platform/broker-topic.ts';
import type { BrokerSeen } from '../platform/fault-platform.ts';
import type { World } from '../platform/world.ts';
import { countTasks } from '../scenarios/steps.ts';
import { useWorld } from '../scenarios/test-world.ts';
import { type Waiting, waitUntil } from '../wait-until.ts';

interface Way {
  readonly name: string;
  readonly broker?: BrokerSeen & { readonly webSocketUrl: string };
}

const WAYS: Way[] = [
  { name: 'direct' },
  ...inject('jobberTestTransports').map(({ driver, ...broker }) => ({
    name: driver === 'native' ? 'pulsar://' : 'ws://',
    broker,
  })),
];

const PATIENCE = { withinMs: 120_000 };
/** An executor that a busy machine keeps from renewing a lease has its task interrupted, and that is told. */
const UNINTERRUPTED = 'max(attempt - interruptions)';

describe.each(WAYS)('$name', ({ name, broker }) => {
  const world = useWorld(`intake ${name}`, { broker });

  async function submitted({ submitter }: World, work: Parameters<World['submitter']['submit']>[0]) {
    const id = await submitter.submit(work);
    if (id === undefined) throw new Error(`${work.name} was refused`);
    return id;
  }
  const status = async ({ client }: World, id: number) => (await client.readJob(id))?.status;
  const ended = (here: World, id: number, as: string, waiting?: Waiting) =>
    waitUntil(`job ${id} is ${as}`, async () => (await status(here, id)) === as, waiting);

  test('numbers and products come out right, inline and from a file', async () => {
    const here = world.get();
    await Promise.all([
      submitted(here, fibonacciWork(here.random, 40)),
      submitted(here, loadWork(here.random, 60)),
      submitted(here, loadWork(here.random, 300, true)),
      submitted(here, dozeWork(20, 10)),
    ]);
    await here.hold();
  });

  test('what fails is tried again, becomes a dead letter, and can be redriven', async () => {
    const here = world.get();
    const id = await submitted(here, {
      name: 'InlineThrow',
      slug: 'inline-throw',
      items: [{}],
      expects: 'failure',
    });
    await ended(here, id, 'FAILED');
    const attempts = 'select attempt, failures, state from task where job_id = $1';
    expect(await here.platform.databases.query('jobs', attempts, [id])).toMatchObject([
      { attempt: 2, state: 'dead' },
    ]);
    await here.changer.retry(id);
    await here.hold();
    expect(await here.platform.databases.query('jobs', attempts, [id])).toMatchObject([
      { attempt: 4, state: 'dead' },
    ]);
  });

  test('a cancelled job stops, also what of it is running', async () => {
    const here = world.get();
    const id = await submitted(here, { ...dozeWork(30, 20_000), expects: 'any' });
    await waitUntil('some run', async () => (await countTasks(here, id)).running > 0);
    await here.changer.cancel(id);
    const after = await submitted(here, dozeWork(2, 10));
    await ended(here, after, 'COMPLETED');
    await here.hold();
  });

  test('an executor that joins gets work at once, though another one came first', async () => {
    const here = world.get();
    const [, second] = here.platform.replicas('executor');
    const leaving = second?.terminate();
    const id = await submitted(here, { ...dozeWork(2_000, 300), expects: 'any' });
    await leaving;
    await second?.untilReady();
    await waitUntil('both run tasks', async () => {
      const sql = `select distinct executor_id from task where state = 'running' and job_id = $1`;
      return (await here.platform.databases.query('jobs', sql, [id])).length === 2;
    });
    await here.changer.cancel(id);
    await here.hold();
  });

  test('an executor that stops gives back what it has, and no attempt counts', async () => {
    const here = world.get();
    const id = await submitted(here, dozeWork(16, 400));
    await waitUntil('they run', async () => (await countTasks(here, id)).running > 4);
    for (const executor of here.platform.replicas('executor')) {
      expect((await executor.terminate()).how).toMatch(/exit code 0/);
      await executor.untilReady();
    }
    await here.hold();
    const failures = 'select sum(failures)::int as n from task where job_id = $1';
    expect(await here.platform.databases.query('jobs', failures, [id])).toEqual([{ n: 0 }]);
  });

  if (broker) {
    const { adminUrl } = broker;

    test('doubled, late, forged and foreign messages change nothing', async () => {
      const here = world.get();
      const topic = { ...broker, topic: `${here.platform.topicPrefix}doze-jobs` };
      const id = await submitted(here, dozeWork(60, 30));
      const hint = (message: object) =>
        Buffer.from(JSON.stringify({ v: 1, job: id, task: 0, attempt: 1, ...message }));
      const stored = await writeToTopic(topic, [
        ...Array.from({ length: 60 }, (_, task) => hint({ task: 59 - task })),
        ...Array.from({ length: 60 }, (_, task) => hint({ task, attempt: 2 })),
        ...Array.from({ length: 300 }, () => hint({})),
        hint({ job: id + 1_000_000 }),
        hint({ job: -1 }),
        hint({ task: 1e308 }),
        hint({ traceparent: 'x'.repeat(5_000) }),
        Buffer.alloc(0),
        Buffer.from('{"v":1'),
        Buffer.from([0xff, 0x00, 0x7b]),
        Buffer.alloc(700_000, 'x'),
      ]);
      expect(stored).toBe(428);
      await ended(here, id, 'COMPLETED');
      await here.hold();
      const attempts = `select ${UNINTERRUPTED} as most from task where job_id = $1`;
      expect(await here.platform.databases.query('jobs', attempts, [id])).toEqual([{ most: 1 }]);
    }, 240_000);

    // How many messages were stored is known to the broker only.
    test.skipIf(adminUrl === undefined)(
      'while tasks are quick, a message names several of them',
      async () => {
        const here = world.get();
        const tasks = 500;
        async function stored(): Promise<number> {
          const topic = `persistent/public/default/${here.platform.topicPrefix}doze-jobs`;
          const response = await fetch(`${adminUrl}/admin/v2/${topic}/stats`);
          return ((await response.json()) as { msgInCounter: number }).msgInCounter;
        }
        await ended(here, await submitted(here, dozeWork(1, 0)), 'COMPLETED');
        // A machine that has much else to do is not quick at once.
        await waitUntil(
          'a job has fewer messages than tasks',
          async () => {
            const before = await stored();
            await ended(here, await submitted(here, dozeWork(tasks, 0)), 'COMPLETED');
            return (await stored()) - before < tasks;
          },
          PATIENCE,
        );
        await here.hold();
      },
      240_000,
    );

    test('100,000 copies of one message run nothing again, and what comes behind them comes through', async () => {
      const here = world.get();
      const topic = { ...broker, topic: `${here.platform.topicPrefix}doze-jobs` };
      const done = await submitted(here, dozeWork(1, 1));
      await ended(here, done, 'COMPLETED');
      const copy = Buffer.from(JSON.stringify({ v: 1, job: done, task: 0, attempt: 1 }));
      expect(await writeToTopic(topic, Array<Buffer>(100_000).fill(copy))).toBe(100_000);
      const behind = await submitted(here, dozeWork(3, 10));
      await ended(here, behind, 'COMPLETED', { withinMs: 600_000, everyMs: 200 });
      await here.hold();
      const attempts = `select ${UNINTERRUPTED} as most from task where job_id = any($1)`;
      expect(await here.platform.databases.query('jobs', attempts, [[done, behind]])).toEqual([{ most: 1 }]);
    }, 800_000);

    test('a message of 5 MB is refused or dropped, and the platform goes on', async () => {
      const here = world.get();
      const topic = { ...broker, topic: `${here.platform.topicPrefix}doze-jobs` };
      await writeToTopic(topic, [Buffer.alloc(5_000_000, 'x')]);
      await ended(here, await submitted(here, dozeWork(3, 10)), 'COMPLETED');
      await here.hold();
    });

    test('a running platform moves from the broker to direct and back, with work in flight, and nothing is lost', async () => {
      const here = world.get();
      const { platform } = here;
      const restart = async (daemon: 'jobs' | 'executor', over: boolean) => {
        platform.setOverBroker(daemon, over);
        for (const one of platform.replicas(daemon)) await one.terminate();
        await waitUntil(
          'all daemons are ready',
          async () => (await Promise.all(platform.daemons.map((one) => one.isReady()))).every(Boolean),
          { withinMs: 180_000, everyMs: 100 },
        );
      };
      const sending = (async () => {
        for (let job = 0; job < 30; job += 1) await here.submitter.submit(dozeWork(8, 100));
      })();
      await here.during({ name: 'from the broker to direct' }, async () => {
        await restart('jobs', false);
        await restart('executor', false);
      });
      await here.during({ name: 'from direct to the broker' }, async () => {
        await restart('jobs', true);
        await restart('executor', true);
      });
      await sending;
      await here.hold();
    }, 800_000);
  }

  // The last one: the checker knows one user only.
  test("a user's many tasks delay neither another user's single job nor the same user's small one", async () => {
    const here = world.get();
    const many = await submitted(here, { ...dozeWork(1_500, 40), expects: 'any' });
    await waitUntil('they are under way', async () => (await countTasks(here, many)).succeeded > 20);
    const other = await connectClient(here.platform.urls);
    const answer = await other.executeJob({ name: 'Doze', data: { ms: 1 }, idempotencyKey: 'one' });
    if (answer.kind !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(answer)}`);
    const small = await submitted(here, dozeWork(1, 1));
    await waitUntil('the other user is served', async () => {
      return (await other.readJob(answer.jobId))?.status === 'COMPLETED';
    });
    await ended(here, small, 'COMPLETED');
    expect((await countTasks(here, many)).succeeded).toBeLessThan(1_500);
    await here.changer.cancel(many);
    expect(await here.comeToRest()).toBe(true);
  });
});
