import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { flakyWork } from '../load/workloads.ts';
import type { World } from '../platform/world.ts';
import { waitUntil } from '../wait-until.ts';
import { submitInBackground } from './background.ts';
import { useWorld } from './test-world.ts';

const JOBS = 8;
const KILLS = 4;

describe('a redrive', () => {
  const world = useWorld('redrive');

  test('while Jobs and the executors are killed: each failed item succeeds once, and nothing is doubled', async () => {
    const { platform, changer, random, during, hold } = world.get();
    const { ids, open } = await failedJobs(world.get(), JOBS);
    const before = await readOutcomes(world.get(), ids);
    open();
    let asking: Promise<unknown> = Promise.resolve();
    await during({ name: 'a redrive while Jobs and the executors are killed' }, async () => {
      const [first = 0, second = 0, ...others] = ids;
      asking = Promise.all([
        changer.retry(first),
        changer.retry(second),
        changer.redrive(others),
        submitInBackground(world.get()),
      ]);
      for (let kill = 0; kill < KILLS; kill += 1) {
        await delay(random.integer(50, 400));
        const daemon = random.pick(['jobs', 'executor'] as const);
        for (const replica of platform.replicas(daemon)) replica.signal('SIGKILL');
        await platform.untilReady();
      }
    });
    await asking;
    await hold();
    const after = await readOutcomes(world.get(), ids);
    expect(after.every(({ status, round }) => status === 'COMPLETED' && round === 2)).toBe(true);
    // What had succeeded keeps its outcome.
    for (const [index, { succeeded }] of before.entries()) {
      expect(after[index]?.succeeded).toEqual(expect.arrayContaining(succeeded as unknown[]));
    }
  });

  test('that fails again leaves the dead letters of its own round, and the next one ends them', async () => {
    const { changer, platform, hold } = world.get();
    const { ids, open } = await failedJobs(world.get(), 1);
    const [jobId = 0] = ids;
    expect(await changer.retry(jobId)).toBe(true);
    await untilStatus(world.get(), jobId, 'FAILED', 2);
    open();
    expect(await changer.retry(jobId)).toBe(true);
    await hold();
    const sql = `
      select round, count(*) filter (where event = 'died')::int as died,
        count(*) filter (where event = 'redriven')::int as redriven
      from history where job_id = $1 group by round order by round`;
    const [first, second, third] = await platform.databases.query('jobs', sql, [jobId]);
    expect(first).toMatchObject({ round: 1, redriven: 0 });
    expect(second).toMatchObject({ round: 2, died: first?.['died'], redriven: first?.['died'] });
    expect(third).toMatchObject({ round: 3, died: 0, redriven: first?.['died'] });
  });

  test('asked for twenty times at once begins one round', async () => {
    const { changer, client, hold } = world.get();
    const { ids, open } = await failedJobs(world.get(), 1);
    const [jobId = 0] = ids;
    open();
    const told = await Promise.all(Array.from({ length: 20 }, () => changer.retry(jobId)));
    expect(told).toContain(true);
    await hold();
    expect(await client.readJob(jobId)).toMatchObject({ status: 'COMPLETED', round: 2 });
  });
});

/** Jobs of which every third item has failed, after its product was written. `open` lets them succeed. */
async function failedJobs(world: World, count: number): Promise<{ ids: number[]; open: () => void }> {
  const gate = join(world.platform.folder, `gate-${world.random.integer(0, 1_000_000)}`);
  writeFileSync(gate, '');
  const ids: number[] = [];
  for (let job = 0; job < count; job += 1) {
    const work = { ...flakyWork(world.random, gate, 25) };
    const jobId = await world.submitter.submit(work);
    if (jobId === undefined) throw new Error('A job was refused.');
    ids.push(jobId);
  }
  for (const jobId of ids) await untilStatus(world, jobId, 'FAILED', 1);
  return { ids, open: () => rmSync(gate) };
}

function untilStatus({ client }: World, jobId: number, status: string, round: number): Promise<unknown> {
  return waitUntil(`job ${jobId} is ${status} in round ${round}`, async () => {
    const job = await client.readJob(jobId);
    return job?.status === status && job.round === round;
  });
}

function readOutcomes({ platform }: World, ids: readonly number[]) {
  const sql = `
    select job.id, job.status, job.round, (
      select jsonb_agg(jsonb_build_array(task.seq, one) order by task.seq, one)
      from task, jsonb_array_elements(task.decided) one
      where task.job_id = job.id and one -> 1 = '1') as succeeded
    from job where id = any($1::bigint[]) order by id`;
  type Row = { status: string; round: number; succeeded: unknown };
  return platform.databases.query<Row>('jobs', sql, [ids]);
}
