import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PulsarError, startPulsar } from '@jobber/compose/pulsar';
import { afterAll, describe, expect, test } from 'vitest';
import { dozeWork, loadWork } from '../load/workloads.ts';
import { writeToTopic } from '../platform/broker-topic.ts';
import type { World } from '../platform/world.ts';
import { waitUntil } from '../wait-until.ts';
import { submitInBackground } from './background.ts';
import { countTasks } from './steps.ts';
import { useWorld } from './test-world.ts';

const folder = mkdtempSync(join(tmpdir(), 'jobber-faults-broker-'));
/** One broker for the whole file; without Java or Maven the reason why there is none. */
const broker = await startPulsar({ dataDir: folder, environment: process.env }).catch((error: unknown) => {
  rmSync(folder, { recursive: true, force: true });
  if (error instanceof PulsarError && /^(java|maven)-missing$/.test(error.reason)) return error.message;
  throw error;
});
const isMissing = typeof broker === 'string';
const faults = isMissing ? `the broker (skipped: ${broker})` : 'the broker';

afterAll(async () => {
  if (isMissing) return;
  await broker.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

describe.skipIf(isMissing)(faults, () => {
  // What is skipped asks for no world.
  if (typeof broker === 'string') return;
  const { serviceUrl, adminUrl, webPort } = broker;
  const world = useWorld('broker', { broker: { serviceUrl, adminUrl, edgePort: webPort } });
  const topicOf = ({ platform }: World, slug: string) => `${platform.topicPrefix}${slug}-jobs`;

  async function submitted({ submitter }: World, work: Parameters<World['submitter']['submit']>[0]) {
    const id = await submitter.submit(work);
    if (id === undefined) throw new Error(`${work.name} was refused`);
    return id;
  }
  const runs = (here: World, id: number) =>
    waitUntil('tasks run', async () => (await countTasks(here, id)).running > 0);

  test('killed while tasks run, and started again', async () => {
    const here = world.get();
    await here.during({ name: 'the broker is killed' }, async () => {
      const id = await submitted(here, dozeWork(60, 100));
      await runs(here, id);
      await broker.kill();
      await submitInBackground(here, 4);
      await broker.restart();
    });
    await here.hold();
  });

  test('silent: jobs are accepted all the same, and run when it can be heard again', async () => {
    const here = world.get();
    await here.during({ name: 'the broker is silent' }, async () => {
      here.platform.edges['jobs-pulsar']?.inject({ kind: 'black hole' });
      here.platform.edges['executor-pulsar']?.inject({ kind: 'black hole' });
      const began = performance.now();
      const ids = await Promise.all([
        submitted(here, dozeWork(20, 10)),
        submitted(here, loadWork(here.random, 20)),
      ]);
      expect(performance.now() - began).toBeLessThan(30_000);
      // Long enough for Jobs to see that nothing is confirmed.
      await waitUntil('hints are recalled', async () => {
        const sql = `select 1 from task where state = 'dispatched' and job_id = any($1)`;
        return (await here.platform.databases.query('jobs', sql, [ids])).length === 0;
      });
    });
    await here.hold();
  });

  test.each([
    ['Jobs', 'jobs-pulsar'],
    ['the executors', 'executor-pulsar'],
  ] as const)('cut off from %s, again and again', async (name, edge) => {
    const here = world.get();
    await here.during({ name: `the broker is cut off from ${name}` }, async () => {
      const sending = submitInBackground(here, 6);
      for (let times = 0; times < 5; times += 1) {
        here.platform.edges[edge]?.inject({ kind: 'cut' });
        await submitted(here, dozeWork(4, 20));
        here.platform.edges[edge]?.heal();
      }
      await sending;
    });
    await here.hold();
  });

  test('its data wiped: what was there is sent again', async () => {
    const here = world.get();
    await here.during({ name: 'the messages are gone' }, async () => {
      const id = await submitted(here, dozeWork(80, 100));
      await runs(here, id);
      for (const slug of ['doze', 'load-products', 'fibonacci']) {
        const path = `persistent/public/default/${topicOf(here, slug)}`;
        await fetch(`${adminUrl}/admin/v2/${path}?force=true`, { method: 'DELETE' });
      }
      await submitInBackground(here, 4);
    });
    await here.hold();
  });

  test('messages doubled, shuffled, late and forged change nothing', async () => {
    const here = world.get();
    const id = await submitted(here, dozeWork(40, 50));
    const copies = Array.from({ length: 400 }, () => ({
      v: 1,
      job: id + here.random.integer(0, 1),
      task: here.random.integer(0, 41),
      attempt: here.random.integer(1, 3),
    }));
    const bodies = copies.map((copy) => Buffer.from(JSON.stringify(copy)));
    const address = { webSocketUrl: serviceUrl, topic: topicOf(here, 'doze') };
    expect(await writeToTopic(address, bodies)).toBe(bodies.length);
    await here.hold();
    // Late: everything has ended.
    await writeToTopic(address, bodies);
    await here.hold();
    // An executor that a busy machine keeps from renewing a lease has its task interrupted, and that is told.
    const sql = 'select max(attempt - interruptions) as most from task where job_id = $1';
    expect(await here.platform.databases.query('jobs', sql, [id])).toEqual([{ most: 1 }]);
  });

  test('an executor is killed between an outcome and its acknowledgement', async () => {
    const here = world.get();
    await here.during({ name: 'executors are killed after an outcome' }, async () => {
      const id = await submitted(here, dozeWork(30, 100));
      await waitUntil('an outcome is stored', async () => (await countTasks(here, id)).succeeded > 0);
      here.platform.edges['executor-pulsar']?.inject({ kind: 'black hole' });
      const before = (await countTasks(here, id)).succeeded;
      await waitUntil('more are', async () => (await countTasks(here, id)).succeeded > before);
      for (const executor of here.platform.replicas('executor')) executor.signal('SIGKILL');
    });
    await here.hold();
  });
});
