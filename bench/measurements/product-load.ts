import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { EXECUTE_JOB } from '../client.ts';
import type { BenchContext } from '../context.ts';
import { memoryOfTree } from '../process-memory.ts';
import { productRecord } from '../product-records.ts';
import type { Figure } from '../report.ts';
import { round } from '../statistics.ts';

const ROWS = 100_000;
const SAMPLE_MS = 100;

/** A generated file, uploaded and loaded through the public door, beside COPY of the same rows into a bare table. */
export async function measureProductLoad({ client, platform }: BenchContext): Promise<Figure[]> {
  const records = Array.from({ length: ROWS }, (_, n) => productRecord(n));
  const file = new Blob([`[${records.map((record) => JSON.stringify(record)).join(',\n')}]`]);
  const peaks = watchPeaks(platform.pid);

  const started = performance.now();
  const upload = await client.upload('products.json', file);
  if (upload.records !== ROWS) throw new Error(`the upload has ${upload.records} records`);
  const uploaded = performance.now();
  const { executeJob } = await client.jobs<{ executeJob: { id: number } }>(EXECUTE_JOB, {
    i: { name: 'LoadProducts', data: { fileName: upload.filename } },
  });
  const accepted = performance.now();
  const { status, completed } = await client.untilEnded(executeJob.id);
  if (status !== 'COMPLETED' || completed !== ROWS)
    throw new Error(`the load is ${status} with ${completed} rows`);
  const ended = performance.now();
  const peakMegabytes = await peaks.stop();

  const copySeconds = await measureCopy(platform.productsDatabaseUrl);
  const loadSeconds = (ended - uploaded) / 1_000;
  const rows = `${ROWS} records, ${round(file.size / 1e6)} MB`;
  return [
    {
      name: 'upload and index the file',
      value: round((uploaded - started) / 1_000, 2),
      unit: 's',
      note: rows,
    },
    { name: 'check the records, accept the job', value: round((accepted - uploaded) / 1_000, 2), unit: 's' },
    { name: 'load, from executeJob to its end', value: round(ROWS / loadSeconds, 0), unit: 'rows/s' },
    {
      name: 'COPY of the same rows',
      value: round(ROWS / copySeconds, 0),
      unit: 'rows/s',
      note: 'table without indexes',
    },
    { name: 'load / COPY', value: round(copySeconds / loadSeconds, 3), unit: '×' },
    ...[...peakMegabytes].map(([name, value]) => ({
      name: `peak memory of ${name} during the load`,
      value: round(value, 0),
      unit: 'MB',
      goal: '< 300 MB',
      met: value < 300,
      note: 'RSS',
    })),
  ];
}

async function measureCopy(connectionString: string): Promise<number> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    await client.query(
      'create temp table copied (name text, category text, price numeric, stock int, rating numeric, description text)',
    );
    const started = performance.now();
    await pipeline(Readable.from(copyLines()), client.query(copyFrom('copy copied from stdin')));
    return (performance.now() - started) / 1_000;
  } finally {
    await client.end();
  }
}

function* copyLines(): Generator<string> {
  for (let n = 0; n < ROWS; n += 1) yield `${Object.values(productRecord(n)).join('\t')}\n`;
}

/** Looks at the daemons' memory again and again; the peaks by daemon. */
function watchPeaks(pid: number) {
  const peaks = new Map<string, number>();
  let watching = true;
  async function watch(): Promise<void> {
    while (watching) {
      for (const { command, rss } of await memoryOfTree(pid)) {
        const daemon = /daemons\/(\w+)\/main/.exec(command)?.[1];
        if (daemon) peaks.set(daemon, Math.max(peaks.get(daemon) ?? 0, rss));
      }
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    }
  }
  const watched = watch();
  return {
    async stop() {
      watching = false;
      await watched;
      return peaks;
    },
  };
}
