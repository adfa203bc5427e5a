import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startPulsar } from '@jobber/compose/pulsar';
import { whyNoPulsarClient } from '@jobber/shared/broker';
import { type BenchClient, EXECUTE_JOB } from '../client.ts';
import { type BenchContext, createContext } from '../context.ts';
import { measureLatency } from '../measurements/latency.ts';
import { createFolder, startPlatform } from '../platform.ts';
import { memoryOfTree } from '../process-memory.ts';
import type { Figure } from '../report.ts';
import { round } from '../statistics.ts';
import { chooseWays, type Way } from './choose-ways.ts';
import { measureBroker } from './measure-broker.ts';
import { startExecutors } from './more-executors.ts';

const JOB_TYPES = fileURLToPath(new URL('../nap-type.ts', import.meta.url));
const SINGLE_JOBS = 5_000;
const SUBMITTERS = 64;
const BULK_ITEMS = 20_000;
const NAPS = 400;
const NAP_MS = 50;
/** Of each executor: few, so that more executors are worth something on a small machine. */
const MAX_TASKS = 8;
const BACKLOG_ITEMS = 100_000;
/** Of one job, at most. */
const SUBMISSIONS = 10;
const SUBMIT_AGAIN_MS = 1_000;

type Report = (title: string, figures: Figure[]) => void;

/**
 * The same work on both intakes: the direct one, and Pulsar by its WebSocket API and by the official client, where that can be
 * used. Needs Java and, the first time, Maven.
 * @param say is told why something is not measured
 */
export async function measureIntake(report: Report, say: (line: string) => void): Promise<void> {
  const noOfficialClient = await whyNoPulsarClient();
  const folder = await createFolder();
  try {
    const broker = await startPulsar({
      dataDir: join(folder.path, 'pulsar'),
      environment: process.env,
      fullSpeed: true,
    });
    try {
      const { ways, leftOut } = chooseWays(broker, noOfficialClient);
      if (leftOut !== undefined) say(leftOut);
      for (const { name, serviceUrl } of ways) {
        if (serviceUrl !== undefined)
          report(`Intake, ${name}: the broker alone`, await measureBroker(serviceUrl));
      }
      for (const [index, way] of ways.entries())
        await measureWay(way, join(folder.path, `platform-${index}`), report);
    } finally {
      await broker.stop();
    }
  } finally {
    await folder.remove();
  }
}

/** @param path a folder for its platform */
async function measureWay({ name, serviceUrl }: Way, path: string, report: Report): Promise<void> {
  // Topics of its own for each: nothing that another one has left is in them.
  const environment = { JOBBER_JOB_TYPES: JOB_TYPES, PULSAR_TOPIC_PREFIX: `${basename(path)}-` };
  const args = serviceUrl === undefined ? [] : ['--pulsar', serviceUrl];
  const usual = await startPlatform(path, environment, args);
  try {
    const context = await createContext(usual);
    report(`Intake, ${name}: one job at a time`, await measureLatency(context));
    report(`Intake, ${name}: rates`, [await measureSingles(context), await measureBulk(context)]);
    report(`Intake, ${name}: a backlog`, await measureBacklog(context));
  } finally {
    await usual.stop();
  }

  const few = {
    ...environment,
    EXECUTOR_MAX_TASKS: String(MAX_TASKS),
    EXECUTOR_CONCURRENCY: String(MAX_TASKS),
  };
  const small = await startPlatform(path, few, args);
  try {
    const context = await createContext(small);
    const broker = serviceUrl === undefined ? {} : { PULSAR_SERVICE_URL: serviceUrl };
    const figures: Figure[] = [];
    for (const executors of [1, 2, 4]) {
      const stop = await startExecutors(small, executors - 1, { ...few, ...broker });
      figures.push(await measureNaps(context, executors));
      await stop();
    }
    report(`Intake, ${name}: executors of ${MAX_TASKS} places`, figures);
  } finally {
    await small.stop();
  }
}

async function measureSingles({ client, countUnfinished }: BenchContext): Promise<Figure> {
  let submitted = 0;
  const started = performance.now();
  async function submitter(): Promise<void> {
    while (submitted < SINGLE_JOBS) {
      submitted += 1;
      await client.jobs(EXECUTE_JOB, { i: { name: 'Fibonacci', data: { iterations: 1 } } });
    }
  }
  await Promise.all(Array.from({ length: SUBMITTERS }, submitter));
  while ((await countUnfinished()) > 0) await sleep(20);
  const value = round((SINGLE_JOBS * 1_000) / (performance.now() - started), 0);
  return { name: `${SINGLE_JOBS} jobs, ${SUBMITTERS} submitters, durably completed`, value, unit: 'jobs/s' };
}

async function measureBulk(context: BenchContext): Promise<Figure> {
  const seconds = await runJob(context, 'Fibonacci', Array(BULK_ITEMS).fill({ iterations: 1 }));
  const value = round(BULK_ITEMS / seconds, 0);
  return { name: `one job of ${BULK_ITEMS} items`, value, unit: 'items/s' };
}

async function measureNaps(context: BenchContext, executors: number): Promise<Figure> {
  const seconds = await runJob(context, 'Nap', Array(NAPS).fill({ ms: NAP_MS }));
  return {
    name: `${NAPS} tasks of ${NAP_MS} ms, ${executors} executors`,
    value: round(NAPS / seconds, 0),
    unit: 'tasks/s',
  };
}

async function measureBacklog(context: BenchContext): Promise<Figure[]> {
  const pid = context.platform.pid;
  const before = await pssOfDaemons(pid);
  let most = before;
  let done = false;
  const watching = (async () => {
    while (!done) {
      most = Math.max(most, await pssOfDaemons(pid));
      await sleep(250);
    }
  })();
  const seconds = await runJob(context, 'Nap', Array(BACKLOG_ITEMS).fill({ ms: 0 }));
  done = true;
  await watching;
  return [
    { name: `${BACKLOG_ITEMS} tasks of one job`, value: round(BACKLOG_ITEMS / seconds, 0), unit: 'tasks/s' },
    { name: 'memory of the daemons before', value: round(before, 0), unit: 'MB' },
    { name: 'memory of the daemons at most meanwhile', value: round(most, 0), unit: 'MB' },
  ];
}

/** @returns how long it took, in seconds */
async function runJob({ client }: BenchContext, name: string, data: readonly unknown[]): Promise<number> {
  const started = performance.now();
  const id = await submit(client, { name, data, idempotencyKey: crypto.randomUUID() });
  const { status } = await client.untilEnded(id);
  if (status !== 'COMPLETED') throw new Error(`job ${id} is ${status}`);
  return (performance.now() - started) / 1_000;
}

/** A large job may not be stored within the time limit of a request, where the machine is busy. */
async function submit(client: BenchClient, job: object): Promise<number> {
  for (let left = SUBMISSIONS - 1; ; left -= 1) {
    try {
      const { executeJob } = await client.jobs<{ executeJob: { id: number } }>(EXECUTE_JOB, { i: job });
      return executeJob.id;
    } catch (error) {
      if (left === 0 || !(error instanceof Error) || error.cause !== 503) throw error;
      await sleep(SUBMIT_AGAIN_MS);
    }
  }
}

async function pssOfDaemons(pid: number): Promise<number> {
  const daemons = (await memoryOfTree(pid)).filter(({ command }) => command.includes('/daemons/'));
  return daemons.reduce((sum, { pss }) => sum + pss, 0);
}
