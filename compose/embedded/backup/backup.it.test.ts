import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { DAEMONS } from '../platform/daemon-programs.ts';
import { platformAddresses } from '../platform/describe-platform.ts';
import { lockDataFolder } from '../platform/lock-data-folder.ts';
import { openLogStream } from '../platform/log-stream.ts';
import { freePlatformPorts } from '../platform/platform-ports.ts';
import { type Platform, startPlatform } from '../platform/start-platform.ts';
import { logIn } from '../quickstart/platform-client.ts';
import { backUpPlatform } from './back-up-platform.ts';
import { reachPostgres } from './reach-postgres.ts';
import { restorePlatform } from './restore-platform.ts';

const folder = mkdtempSync(join(tmpdir(), 'jobber-backup-'));
const original = join(folder, 'original');
const backup = join(folder, 'backup');
const restored = join(folder, 'restored');
const running: Platform[] = [];
const ACCOUNT = { email: 'ada@example.com', password: 'correct horse battery' };
const RECORDS = 1_000;
const LOADS = 4;
const PATIENCE = { timeout: 120_000, interval: 250 };

afterAll(async () => {
  for (const platform of running) await platform.kill();
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

async function start(dataDir: string): Promise<Platform> {
  const platform = await startPlatform({
    dataDir,
    ports: await freePlatformPorts(),
    openLog: (logs) => openLogStream(logs, DAEMONS, () => {}),
    environment: process.env,
    nodeEnv: 'production',
    throwaway: true,
    signal: AbortSignal.timeout(300_000),
  });
  running.push(platform);
  return platform;
}

async function stop(platform: Platform): Promise<void> {
  await platform.stop();
  running.splice(running.indexOf(platform), 1);
}

async function query<Row extends object>(dataDir: string, database: string, text: string): Promise<Row[]> {
  const { adminUrl, release } = await reachPostgres(dataDir);
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
    await release();
  }
}

const file = Buffer.from(
  Array.from(
    { length: RECORDS },
    (_, i) =>
      `{"name":"Kite ${i}","category":"Toys & Games","price":14.25,"stock":${i},"rating":4,"description":"flies"}\n`,
  ).join(''),
);
const open = `select count(*)::int as n from job where ended_at is null`;
const effectsOfJobs = `
  select job_id::int as job, count(*)::int as effects, count(distinct product_id)::int as products
  from effect group by job_id order by job_id`;

test('a backup under load is restored in an empty place: jobs go on, and nothing is lost or doubled', async () => {
  const platform = await start(original);
  const signal = AbortSignal.timeout(390_000);
  const ada = await logIn(platformAddresses(platform.ports), ACCOUNT, signal);
  const { filename } = await ada.upload('kites.ndjson', file);
  const before: number[] = [];
  for (let load = 0; load < LOADS; load += 1)
    before.push((await ada.executeJob('LoadProducts', { fileName: filename })).id);
  // While the backup is made more is accepted; whatever of it is not in the backup is as if it had never been.
  const [summary, ...during] = await Promise.all([
    backUpPlatform(original, backup),
    ...Array.from({ length: LOADS }, () => ada.executeJob('LoadProducts', { fileName: filename })),
  ]);
  expect(summary).toMatchObject({ uploads: 1, uploadsElsewhere: 0 });
  const ended = await Promise.all([...before, ...during.map(({ id }) => id)].map((id) => ada.waitForJob(id)));
  expect(ended.every(({ completed }) => completed === RECORDS)).toBe(true);
  await stop(platform);

  const restoring = await restorePlatform(backup, restored);
  expect(restoring).toMatchObject({ uploads: 1, loginsEnded: 1 });
  const again = await start(restored);
  await expect.poll(async () => (await query<{ n: number }>(restored, 'jobs', open))[0]?.n, PATIENCE).toBe(0);
  const jobs = await query<{ id: number; status: string }>(
    restored,
    'jobs',
    'select id::int, status from job order by id',
  );
  expect(jobs.map(({ id }) => id)).toEqual(expect.arrayContaining(before));
  expect(new Set(jobs.map(({ status }) => status))).toEqual(new Set(['COMPLETED']));
  expect(await query(restored, 'jobs', 'select job_id from job_in_progress')).toEqual([]);
  // Each item of each known job has one effect and one product, and nobody else has any.
  const effects = await query(restored, 'products', effectsOfJobs);
  expect(effects).toEqual(jobs.map(({ id }) => ({ job: id, effects: RECORDS, products: RECORDS })));
  expect(await query(restored, 'products', 'select count(*)::int as n from product')).toEqual([
    { n: jobs.length * RECORDS },
  ]);

  const beth = await logIn(
    platformAddresses(again.ports),
    { ...ACCOUNT, email: 'beth@example.com' },
    AbortSignal.timeout(120_000),
  );
  const upload = await beth.upload('kites.ndjson', file);
  const job = await beth.executeJob('LoadProducts', { fileName: upload.filename });
  // A number that no effect bears yet: its items are not taken for done.
  expect(job.id).toBeGreaterThan(Math.max(...jobs.map(({ id }) => id)));
  await beth.waitForJob(job.id);
  expect(await beth.productsOf(job.id)).toHaveLength(RECORDS);
  await stop(again);
}, 400_000);

test('a backup of a stopped platform is private, whole or not there, and refuses a folder in use', async () => {
  const target = join(folder, 'stopped');
  await backUpPlatform(restored, target);
  expect(statSync(target).mode & 0o777).toBe(0o700);
  expect(readdirSync(target).sort()).toEqual([
    'auth',
    'backup.json',
    'jobs',
    'products',
    'secrets.json',
    'uploads',
  ]);
  await expect(backUpPlatform(restored, target)).rejects.toThrow(/is not empty \(auth\): name a new folder/);
  await expect(backUpPlatform(join(folder, 'nothing'), join(folder, 'x'))).rejects.toThrow(
    /holds no platform/,
  );
  expect(readdirSync(folder).filter((name) => name.startsWith('x'))).toEqual([]);
});

test('a backup that fails releases the platform, also when its folder can be neither made nor removed', async () => {
  // The folder in which it is made has a longer name: too long for the file system.
  const tooLong = join(folder, 'b'.repeat(240));
  await expect(backUpPlatform(restored, tooLong)).rejects.toThrow(/its name is too long/);
  expect(existsSync(join(restored, 'postgres', 'postmaster.pid'))).toBe(false);
  lockDataFolder(restored).release();
});

test('what is no backup, is damaged or comes from a newer jobber is refused, and leaves nothing', async () => {
  const target = join(folder, 'refused');
  await expect(restorePlatform(folder, target)).rejects.toThrow(/holds no backup of jobber/);
  await expect(restorePlatform(backup, restored)).rejects.toThrow(
    /is not empty .*: restore into a new folder/,
  );

  const manifest = JSON.parse(readFileSync(join(backup, 'backup.json'), 'utf8'));
  const altered = join(folder, 'altered');
  mkdirSync(altered);
  manifest.databases.auth.migrations.push('9999-of-the-future');
  writeFileSync(join(altered, 'backup.json'), JSON.stringify(manifest));
  await expect(restorePlatform(altered, target)).rejects.toThrow(
    /was made by a newer jobber: its database auth/,
  );
  writeFileSync(join(altered, 'backup.json'), JSON.stringify({ ...manifest, format: 2 }));
  await expect(restorePlatform(altered, target)).rejects.toThrow(
    /has the format 2, this jobber knows format 1/,
  );

  rmSync(join(backup, 'products', 'effect.copy.gz'));
  await expect(restorePlatform(backup, target)).rejects.toThrow(
    /is damaged: its file .*effect.copy.gz is missing/,
  );
  expect(readdirSync(folder)).not.toContain('refused');
});
