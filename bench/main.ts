import { parseArgs } from 'node:util';
import { createContext } from './context.ts';
import { measureEngine } from './engine/measure-engine.ts';
import { FULL, QUICK } from './engine/scale.ts';
import { measureIntake } from './intake/measure-intake.ts';
import { measureCliStart } from './measurements/cli-start.ts';
import { measureLatency } from './measurements/latency.ts';
import { measureMemory } from './measurements/memory.ts';
import { measureProductLoad } from './measurements/product-load.ts';
import { measureQuickstart } from './measurements/quickstart.ts';
import { measureThroughput } from './measurements/throughput.ts';
import { createFolder, startPlatform } from './platform.ts';
import { type Figure, printFigures, writeJson } from './report.ts';
import { round } from './statistics.ts';

const USAGE = `npm run bench [-- [--json FILE] [--quick] [--no-peers] MEASUREMENT ...]

Measures this checkout on this machine; see docs/performance.md for the method.
  cli          jobber --version beside node -e 0
  quickstart   npm run quickstart
  start        jobber up, cold and warm; memory when idle
  latency      one job at a time on an idle platform
  throughput   20,000 jobs from 64 submitters; one job of 20,000 items
  load         100,000 products from a file, beside COPY
  engine       rates, latency, lists and memory, beside pg-boss and Graphile Worker;
               with a million jobs stored; some 20 minutes
  intake       the same work on the direct intake and over a Pulsar broker, which is started
               for it: needs Java 17 and, the first time, Maven; by ws://, and by pulsar://
               where the package pulsar-client is installed
Without names: all of them but intake, one after the other.
--quick and --no-peers are for engine: a run of some seconds that only shows that the
measurements work; and nothing to compare with.`;

const MEASUREMENTS = [
  'cli',
  'quickstart',
  'start',
  'latency',
  'throughput',
  'load',
  'engine',
  'intake',
] as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    quick: { type: 'boolean', default: false },
    'no-peers': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
});
const unknown = positionals.filter((name) => !MEASUREMENTS.some((known) => known === name));
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`There is no measurement ${unknown.join(', ')}.\n`);
  console.log(USAGE);
  process.exit(unknown.length > 0 ? 2 : 0);
}
const wanted = new Set<string>(
  positionals.length > 0 ? positionals : MEASUREMENTS.filter((name) => name !== 'intake'),
);
const results: Record<string, readonly Figure[]> = {};

async function report(title: string, measure: () => Promise<Figure[]>): Promise<void> {
  keep(title, await measure());
}

function keep(title: string, figures: readonly Figure[]): void {
  printFigures(title, figures);
  results[title] = figures;
}

function say(line: string): void {
  console.log(`\n${line}`);
}

if (wanted.has('cli')) await report('Start of the CLI', measureCliStart);
if (wanted.has('quickstart')) await report('Quick start', measureQuickstart);

if (['start', 'latency', 'throughput', 'load'].some((name) => wanted.has(name))) {
  const folder = await createFolder();
  try {
    const cold = await startPlatform(folder.path);
    await cold.stop();
    const platform = await startPlatform(folder.path);
    try {
      const context = await createContext(platform);
      if (wanted.has('start')) {
        await report('Start of the platform', async () => [
          {
            name: 'jobber up, first start',
            value: round(cold.startSeconds),
            unit: 's',
            goal: '< 6 s',
            met: cold.startSeconds < 6,
          },
          {
            name: 'jobber up, later start',
            value: round(platform.startSeconds),
            unit: 's',
            goal: '< 3 s',
            met: platform.startSeconds < 3,
          },
          ...(await measureMemory(context, 'idle')),
        ]);
      }
      if (wanted.has('latency')) await report('Latency, idle', () => measureLatency(context));
      if (wanted.has('throughput')) await report('Throughput', () => measureThroughput(context));
      if (wanted.has('load')) await report('Load of a product file', () => measureProductLoad(context));
      if (wanted.size > 1) await report('Afterwards', () => measureMemory(context, 'after the runs'));
    } finally {
      await platform.stop();
    }
  } finally {
    await folder.remove();
  }
}

if (wanted.has('engine')) {
  await measureEngine({
    scale: values.quick ? QUICK : FULL,
    withPeers: !values['no-peers'],
    report: keep,
    say,
  });
}

if (wanted.has('intake')) await measureIntake(keep, say);

if (values.json) await writeJson(values.json, results);
