import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@jobber/shared/log';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { newJob, OWNER, openTestDatabase, TEST_LEASES } from '../testing/open-test-database.ts';
import { acceptJobs } from '../transitions/accept-jobs.ts';
import { cancelJob } from '../transitions/cancel-job.ts';
import { expireUploads } from '../transitions/expire-uploads.ts';
import { createLocalStorage } from '../uploads/local-storage.ts';
import { cleanUpUploads } from './clean-up-uploads.ts';

const { pool } = await openTestDatabase();
const folder = await mkdtemp(join(tmpdir(), 'jobber-clean-up-'));
const storage = createLocalStorage(folder);
const log = createLogger({ daemon: 'jobs', level: 'silent' });
const DAY_MS = 24 * 60 * 60_000;
const cleanUp = (signal = new AbortController().signal) =>
  cleanUpUploads({ pool, storage, retentionMs: 30 * DAY_MS, signal, log });

afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  await pool.query('truncate upload, job, job_tag, task, history');
  for (const name of await readdir(folder)) await rm(join(folder, name));
});

/** A file and its row. */
async function upload(ageDays: number): Promise<string> {
  const name = `${randomUUID()}.json`;
  await writeFile(join(folder, name), '[{"text":"a"}]');
  await pool.query(
    `insert into upload (name, owner_id, original_name, format, size, sha256, records, slices, uploaded_at)
     values ($1, $2, 'a.json', 'json', 14, '', 1, '[[0, 1, 1, 13, 1]]', now() - $3 * interval '1 day')`,
    [name, OWNER, ageDays],
  );
  return name;
}

async function file(name: string, ageMs: number): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, 'x');
  const at = (Date.now() - ageMs) / 1_000;
  await utimes(path, at, at);
  return name;
}

const jobOver = (uploadName: string) => ({
  ...newJob({ tasks: 1, itemsPerTask: 1, idempotencyKey: randomUUID() }),
  uploadName,
});
const names = async () => (await pool.query('select name from upload')).rows.map(({ name }) => name);
const files = async () => (await readdir(folder)).sort();

test('an upload goes when its time is over, and its row with it when no job refers to it', async () => {
  const [young, old] = [await upload(29), await upload(31)];
  await cleanUp();
  expect(await files()).toEqual([young]);
  expect(await names()).toEqual([young]);
  expect(old).not.toBe(young);
});

test('what an unfinished job reads stays; afterwards the row stays as a reference and the file goes', async () => {
  const old = await upload(31);
  const [acceptance] = await acceptJobs(pool, [jobOver(old)], TEST_LEASES);
  await cleanUp();
  expect(await files()).toEqual([old]);
  await cancelJob(pool, acceptance?.outcome === 'accepted' ? acceptance.id : 0, OWNER);
  await cleanUp();
  expect(await files()).toEqual([]);
  const { rows } = await pool.query(
    'select original_name, removed_at is not null as removed, slices from upload',
  );
  expect(rows).toEqual([{ original_name: 'a.json', removed: true, slices: [] }]);
  expect(await acceptJobs(pool, [jobOver(old)], TEST_LEASES)).toEqual([{ outcome: 'upload-gone' }]);
});

test('a job that is accepted while its upload expires has its file, or is refused', async () => {
  for (let round = 0; round < 30; round += 1) {
    const old = await upload(31);
    const [[acceptance], expired] = await Promise.all([
      acceptJobs(pool, [jobOver(old)], TEST_LEASES),
      expireUploads(pool, 30 * DAY_MS),
    ]);
    expect(acceptance?.outcome).toBe(expired.includes(old) ? 'upload-gone' : 'accepted');
  }
});

test('files without a row, whole or not, go after a while; what is not ours stays', async () => {
  const fresh = [`${randomUUID()}.json`, `${randomUUID()}.csv.part`];
  for (const name of fresh) await file(name, 1_000);
  await file(`${randomUUID()}.ndjson`, 2 * 60 * 60_000);
  await file(`${randomUUID()}.json.part`, 2 * 60 * 60_000);
  const foreign = await file('README.md', 2 * 60 * 60_000);
  const kept = await upload(1);
  const at = Date.now() / 1_000 - 86_400;
  await utimes(join(folder, kept), at, at);
  await cleanUp();
  expect(await files()).toEqual([...fresh, foreign, kept].sort());
});

test('a daemon that stops does not wait until all are removed; the next clean-up removes the rest', async () => {
  for (let i = 0; i < 5; i += 1) await upload(40);
  for (let i = 0; i < 5; i += 1) await file(`${randomUUID()}.json`, 2 * 60 * 60_000);
  const stopping = new AbortController();
  let removed = 0;
  const slow = {
    ...storage,
    async remove(name: string) {
      await storage.remove(name);
      removed += 1;
      if (removed === 3) stopping.abort();
    },
  };
  await cleanUpUploads({ pool, storage: slow, retentionMs: 30 * DAY_MS, signal: stopping.signal, log });
  expect(await files()).toHaveLength(7);
  const later = Date.now() / 1_000 - 2 * 60 * 60;
  for (const name of await readdir(folder)) await utimes(join(folder, name), later, later);
  await cleanUp();
  expect(await files()).toEqual([]);
});

test('more than one batch is removed in one go', async () => {
  for (let i = 0; i < 230; i += 1) await upload(40);
  await cleanUp();
  expect([await files(), await names()]).toEqual([[], []]);
});
