import { randomUUID } from 'node:crypto';
import { SOON_MS, startDatabaseGate } from '@jobber/compose/test-database-gate';
import { afterAll, expect, inject, test } from 'vitest';
import { startFakeExecutor } from '../testing/fake-executor.ts';
import { formWith, startTestJobs } from '../testing/test-jobs.ts';
import { parseS3Url, type S3Location } from '../uploads/s3-location.ts';

const server = inject('s3Server');
process.env['AWS_ACCESS_KEY_ID'] = server.accessKeyId;
process.env['AWS_SECRET_ACCESS_KEY'] = server.secretAccessKey;
const gate = await startDatabaseGate(server.endpoint);
afterAll(() => gate.close());
const url = `s3://${server.bucket}/${randomUUID()}?endpoint=${gate.url.replace(/\/$/, '')}`;
const uploadsUrl = parseS3Url(url) as S3Location;

const first = await startTestJobs({ uploadsUrl });
const second = await startTestJobs({ uploadsUrl, beside: first });
const member = first.auth.user();
/** As many records as a job of echo takes, and too large to be read outside of a thread. */
const file = Array.from({ length: 1_000 }, (_, i) => `{"text":"${i}${' '.repeat(400)}"}\n`).join('');

test('a file that one replica has received is read by another, in a thread and for an executor', async () => {
  const answer = await first.upload(member, formWith(file, 'records.ndjson'));
  const { filename, records } = (await answer.json()) as { filename: string; records: number };
  expect([answer.status, records]).toEqual([201, 1_000]);
  expect(await first.files()).toEqual([]);

  const executor = startFakeExecutor(second.client());
  executor.grant(1);
  await second.accept(member, { fileName: filename });
  await expect.poll(() => executor.tasks.length, { timeout: 30_000 }).toBeGreaterThan(0);
  const task = executor.tasks[0]!;
  if (task.input?.$case !== 'upload') throw new Error('the task has no upload');
  const { byteFrom, byteTo } = task.input.value;
  const chunks: Uint8Array[] = [];
  const request = { executorId: 'executor-1', ref: task.ref, byteFrom, byteTo };
  for await (const { chunk } of second.client().readUpload(request)) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toBe(file.slice(byteFrom, byteTo));
  await executor.close();
});

test('while the storage is away uploads and jobs over them are refused as retryable, and other jobs go on', async () => {
  const answer = await first.upload(member, formWith('[{"text":"a"}]'));
  const { filename } = (await answer.json()) as { filename: string };
  gate.cut();
  const started = performance.now();
  const refused = await first.upload(member, formWith('[{"text":"a"}]'));
  expect([refused.status, await refused.json()]).toEqual([
    503,
    {
      message: 'The storage of files does not answer at the moment; try again',
      code: 503,
      reason: 'UNAVAILABLE',
    },
  ]);
  await expect(first.accept(member, { fileName: filename })).rejects.toThrow(/try again$/);
  expect(performance.now() - started).toBeLessThan(SOON_MS);
  expect(await first.accept(member, { text: 'a' })).toBeGreaterThan(0);
  expect((await fetch(`${first.origin}/jobs/ready`)).status).toBe(200);
  gate.open();
  expect(await first.accept(member, { fileName: filename })).toBeGreaterThan(0);
  expect(first.logLines.join('')).toMatch(/"level":"warn".*a file could not be stored/);
  expect(first.logLines.join('')).not.toContain(server.secretAccessKey);
});
