import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type BenchPlatform, createFolder, startPlatform } from '../platform.ts';
import { memoryOfTree } from '../process-memory.ts';
import type { Figure } from '../report.ts';
import { round } from '../statistics.ts';
import { type Door, openDoor } from './door.ts';
import { createJobber } from './jobber.ts';
import { measureIdleLatency } from './measure-idle-latency.ts';
import { measureLists } from './measure-lists.ts';
import { measureRates } from './measure-rates.ts';
import { createStoredComparison } from './measure-stored.ts';
import { installPeers, type Peer, startPeers } from './peers.ts';
import { type ProcessorTime, processorTime } from './processor-time.ts';
import type { Scale } from './scale.ts';
import { openStoredJobs } from './stored-jobs.ts';

const JOB_TYPES = fileURLToPath(new URL('../no-op-type.ts', import.meta.url));
const MEMORY_GOAL_MB = 600;
/** What "back near it" means. */
const MEMORY_GROWTH_GOAL = 1.25;

export interface EngineOptions {
  readonly scale: Scale;
  readonly withPeers: boolean;
  report(title: string, figures: readonly Figure[]): void;
  say(line: string): void;
}

/** jobber through its public door, beside pg-boss and Graphile Worker on the same PostgreSQL. */
export async function measureEngine(options: EngineOptions): Promise<void> {
  if (options.scale.freshForStored) {
    await onFreshPlatform(options, measureBesidePeers);
    await onFreshPlatform(options, measureBesideStoredJobs);
    return;
  }
  await onFreshPlatform(options, async (parts) => {
    await measureBesidePeers(parts);
    await measureBesideStoredJobs(parts);
  });
}

interface Parts extends EngineOptions {
  readonly platform: BenchPlatform;
  readonly door: Door;
}

async function onFreshPlatform(
  options: EngineOptions,
  measure: (parts: Parts) => Promise<void>,
): Promise<void> {
  const folder = await createFolder();
  try {
    const platform = await startPlatform(folder.path, { JOBBER_JOB_TYPES: JOB_TYPES });
    try {
      const { setupToken, addresses } = platform;
      const door = await openDoor(addresses, { setupToken, connections: options.scale.submitters });
      await measure({ ...options, platform, door }).finally(() => door.close());
    } finally {
      await platform.stop();
    }
  } finally {
    await folder.remove();
  }
}

async function measureBesidePeers({ platform, door, scale, withPeers, report, say }: Parts): Promise<void> {
  await sleep(scale.settleMs);
  const idle = await pssOf(platform);
  report('Engine: memory, idle', [
    {
      name: 'memory of all processes, idle',
      value: round(idle, 0),
      unit: 'MB',
      goal: `≤ ${MEMORY_GOAL_MB} MB`,
      met: idle <= MEMORY_GOAL_MB,
    },
  ]);
  const jobber = createJobber(door);
  const peers = await getPeers(platform, withPeers, say);
  try {
    report('Engine: idle latency', await measureIdleLatency(jobber, peers, scale));
    // The peers run below this process, their share of PostgreSQL and jobber below `up`.
    const time = (): Promise<ProcessorTime> => processorTime(platform.pid);
    const rates = { jobber, peers, scale, processorTime: time, renew: door.renew };
    report('Engine: rates', await measureRates(rates));
  } finally {
    for (const peer of peers) await peer.stop();
  }
  await sleep(scale.settleMs);
  report('Engine: memory after the rates', [memoryAfter(idle, await pssOf(platform))]);
}

async function getPeers(
  platform: BenchPlatform,
  wanted: boolean,
  say: (line: string) => void,
): Promise<Peer[]> {
  const problem = wanted ? installPeers() : 'they are not wanted';
  if (problem === undefined) return startPeers(platform.adminDatabaseUrl('postgres'));
  say(`Nothing is compared with pg-boss and Graphile Worker: ${problem}.`);
  return [];
}

async function measureBesideStoredJobs({ platform, door, scale, report }: Parts): Promise<void> {
  const { finished, waiting } = scale;
  const idle = await pssOf(platform);
  const jobber = createJobber(door);
  const comparison = createStoredComparison(jobber, scale, door.renew);
  report('Engine: nothing stored', await comparison.empty());
  const stored = await openStoredJobs(platform.adminDatabaseUrl('jobs'), door.userId);
  try {
    await stored.addFinished(finished);
    report(`Engine: ${count(finished)} finished jobs stored`, await comparison.beside('finished jobs'));
    await door.renew();
    report('Engine: lists of jobs', await measureLists(door, stored.owners, scale));
    await stored.addForeign(waiting);
    report(
      `Engine: and ${count(waiting)} ready jobs of a type that nobody runs`,
      await comparison.beside('waiting'),
    );
    await door.renew();
    await jobber.schedule(waiting);
    report(
      `Engine: and ${count(waiting)} scheduled jobs of the type that is measured`,
      await comparison.beside('scheduled'),
    );
  } finally {
    await stored.close();
  }
  await sleep(scale.settleMs);
  report('Engine: memory after all that', [memoryAfter(idle, await pssOf(platform))]);
}

/** Of `jobber up` and all processes below it, in MB; shared pages are divided among those who share them. */
async function pssOf({ pid }: BenchPlatform): Promise<number> {
  return (await memoryOfTree(pid)).reduce((sum, { pss }) => sum + pss, 0);
}

function memoryAfter(idle: number, after: number): Figure {
  return {
    name: 'memory of all processes, after / idle',
    value: round(after / idle, 2),
    unit: '×',
    goal: `≤ ${MEMORY_GROWTH_GOAL} ×`,
    met: after <= idle * MEMORY_GROWTH_GOAL,
    note: `${Math.round(after)} MB, ${Math.round(idle)} MB before`,
  };
}

function count(n: number): string {
  return n.toLocaleString('en');
}
