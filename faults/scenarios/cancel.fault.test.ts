import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { dozeWork } from '../load/workloads.ts';
import type { World } from '../platform/world.ts';
import { submitInBackground } from './background.ts';
import { useWorld } from './test-world.ts';

const CANCELS = 100;

describe('a hundred cancellations at once', () => {
  const world = useWorld('cancel');

  test('under load: each job is cancelled or has ended, never both, and others go on', async () => {
    const { changer, hold } = world.get();
    const background = submitInBackground(world.get(), 10);
    const ids = await submitMany(world.get());
    const cancelled = await Promise.all(ids.map((jobId) => changer.cancel(jobId)));
    await background;
    await hold();
    expect(await statuses(world.get(), ids)).toEqual(cancelled.map((is) => (is ? 'CANCELLED' : 'COMPLETED')));
    expect(cancelled).toContain(true);
  });

  test('while Jobs is killed: each is cancelled wholly or not at all', async () => {
    const { changer, platform, during, hold } = world.get();
    const ids = await submitMany(world.get());
    let cancels: Promise<unknown> = Promise.resolve();
    await during({ name: 'Jobs is killed while 100 jobs are cancelled' }, async () => {
      cancels = Promise.all(ids.map((jobId) => changer.cancel(jobId)));
      await delay(world.random.integer(10, 150));
      for (const replica of platform.replicas('jobs')) replica.signal('SIGKILL');
    });
    await cancels;
    await hold();
    const found = new Set(await statuses(world.get(), ids));
    expect([...found].filter((status) => !['CANCELLED', 'COMPLETED'].includes(status))).toEqual([]);
  });
});

async function submitMany({ submitter }: World): Promise<number[]> {
  const ids = await Promise.all(Array.from({ length: CANCELS }, () => submitter.submit(dozeWork(2, 300))));
  return ids.map((jobId) => {
    if (jobId === undefined) throw new Error('A job was refused.');
    return jobId;
  });
}

async function statuses({ platform }: World, ids: readonly number[]): Promise<string[]> {
  const sql = 'select id, status from job where id = any($1::bigint[])';
  const rows = await platform.databases.query<{ id: string; status: string }>('jobs', sql, [ids]);
  const byId = new Map(rows.map(({ id, status }) => [Number(id), status]));
  return ids.map((jobId) => byId.get(jobId) ?? 'none');
}
