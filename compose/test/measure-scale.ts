// What more executors give: each has the same fixed share of a core, so that four of them fit on a small machine beside
// everything else, and what is shared by all (Jobs, PostgreSQL) shows as what is lost.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { readProcessStat } from '../embedded/postgres/process-stat.ts';
import { Client } from './client.ts';
import type { Platform } from './platform.ts';

/** Cores for each executor. */
const SHARE = 0.1;
const ITEMS = 20_000;
const WARM_UP_MS = 15_000;
const MEASURED_MS = 60_000;

/** @param platform with compose/test/spin.yaml over the other file */
export async function measureScale(platform: Platform, say: (line: string) => void): Promise<void> {
  const client = new Client(platform);
  await client.enter(`scale-${Date.now()}@example.com`, 'correct horse battery');
  const rates: number[] = [];
  for (const executors of [1, 2, 4]) {
    await platform.compose('up', '-d', '--wait', '--no-recreate', '--scale', `executor=${executors}`);
    const pids: number[] = [];
    for (const { Name, State } of await platform.containers('executor')) {
      await platform.docker('update', '--cpus', String(SHARE), Name.slice(1));
      pids.push(State.Pid);
    }
    const { rate, cores } = await measureRate(client, pids);
    rates.push(rate);
    const gain = rate / (rates[0] as number);
    say(
      `${executors} executors of ${SHARE} cores: ${rate.toFixed(1)} items/s, × ${gain.toFixed(2)}; they used ${cores.toFixed(2)} cores`,
    );
  }
}

async function measureRate(client: Client, pids: number[]): Promise<{ rate: number; cores: number }> {
  const id = await client.submit({ name: 'Spin', data: Array.from({ length: ITEMS }, () => ({})) });
  await delay(WARM_UP_MS);
  const completed = async () => {
    const { job } = await client.ask('jobs', 'query ($id: Float!) { job(id: $id) { completed } }', { id });
    return { items: job.completed as number, cpuMs: cpuMs(pids), at: performance.now() };
  };
  const before = await completed();
  await delay(MEASURED_MS);
  const after = await completed();
  await client.ask('jobs', 'mutation ($id: Float!) { cancelJob(id: $id) { id } }', { id });
  if (after.items >= ITEMS) throw new Error('the job has ended before it was measured');
  const tookMs = after.at - before.at;
  return {
    rate: ((after.items - before.items) / tookMs) * 1000,
    cores: (after.cpuMs - before.cpuMs) / tookMs,
  };
}

/** Of these processes and their children: a container's first one may be only the one that starts the program. */
function cpuMs(pids: readonly number[]): number {
  const children = pids.flatMap((pid) =>
    readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  );
  return [...pids, ...children].reduce((sum, pid) => {
    const stat = readProcessStat(pid);
    if (!stat) throw new Error(`process ${pid} has ended while it was measured`);
    return sum + stat.ownMs;
  }, 0);
}
