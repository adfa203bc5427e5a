import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CreateMultipartUploadCommand, S3Client } from '@aws-sdk/client-s3';
import { SOON_MS, startDatabaseGate } from '@jobber/compose/test-database-gate';
import { createLogger } from '@jobber/shared/log';
import { afterAll, beforeEach, expect, inject, test } from 'vitest';
import { collect, content, pieces, testStorageContract } from '../testing/storage-contract.ts';
import type { ObjectStorage } from './object-storage.ts';
import { prepareStorage } from './prepare-storage.ts';
import { parseS3Url, type S3Location } from './s3-location.ts';
import { createS3Storage } from './s3-storage.ts';

const server = inject('s3Server');
const gate = await startDatabaseGate(server.endpoint);
afterAll(() => gate.close());
const lines: string[] = [];
const log = createLogger({ daemon: 'jobs', level: 'info' }, { write: (line) => void lines.push(line) });

/** A part of the bucket that nobody else uses. */
function location(endpoint = server.endpoint): S3Location {
  const parsed = parseS3Url(`s3://${server.bucket}/${randomUUID()}?endpoint=${endpoint}`);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

beforeEach(() => {
  process.env['AWS_ACCESS_KEY_ID'] = server.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = server.secretAccessKey;
  gate.open();
  lines.length = 0;
});

const leftoversOf = (storage: ObjectStorage) => async () =>
  (await collect(storage.untouchedFor(-60_000))).map(({ name }) => name);

testStorageContract('a bucket', async () => {
  const storage = createS3Storage(location());
  return { storage, leftovers: leftoversOf(storage) };
});

test('an upload that was interrupted, with its process, is found and removed', async () => {
  const at = location();
  const storage = createS3Storage(at);
  const name = `${randomUUID()}.csv`;
  const client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true });
  await client.send(new CreateMultipartUploadCommand({ Bucket: at.bucket, Key: `${at.prefix}${name}` }));
  client.destroy();
  expect(await collect(storage.untouchedFor(-60_000))).toEqual([{ name, finished: false }]);
  await storage.remove(name);
  expect(await collect(storage.untouchedFor(-60_000))).toEqual([]);
});

test('what lies in the bucket and is not ours is left alone', async () => {
  const at = location();
  await createS3Storage({ ...at, prefix: `${at.prefix}deeper/` }).write(`${randomUUID()}.json`, pieces(10));
  expect(await collect(createS3Storage(at).untouchedFor(-60_000))).toEqual([]);
});

test('an upload of 64 MiB takes no more memory than its parts', async () => {
  const storage = createS3Storage(location());
  const name = `${randomUUID()}.json`;
  const piece = content(0, 64 * 1024);
  // What is no longer used does not count, whenever it would be collected.
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const held = () => {
    collectGarbage();
    return process.memoryUsage().arrayBuffers;
  };
  let peak = 0;
  const before = held();
  async function* watched() {
    for (let sent = 0; sent < 64 * 16; sent += 1) {
      yield piece;
      if (sent % 32 === 31) peak = Math.max(peak, held() - before);
    }
  }
  await storage.write(name, watched());
  await storage.remove(name);
  expect(peak / 1024 / 1024).toBeLessThan(64);
});

test.each(['cut', 'silent'] as const)(
  'a storage that is %s is told as away in time, and all works again when it is back',
  async (how) => {
    const storage = createS3Storage(location(gate.url.replace(/\/$/, '')));
    const name = `${randomUUID()}.json`;
    await storage.write(name, pieces(10));
    if (how === 'cut') gate.cut();
    else gate.fallSilent();
    const works: (() => Promise<unknown>)[] = [
      () => storage.write(`${randomUUID()}.json`, pieces(10)),
      () => storage.write(`${randomUUID()}.json`, pieces(20 * 1024 * 1024)),
      () => collect(storage.read(name) as never),
      () => storage.remove(name),
      () => collect(storage.untouchedFor(0)),
    ];
    await Promise.all(
      works.map(async (work) => {
        const started = performance.now();
        await expect(work()).rejects.toMatchObject({ name: 'StorageUnavailableError' });
        expect(performance.now() - started).toBeLessThan(SOON_MS);
      }),
    );
    gate.open();
    await storage.remove(name);
  },
);

test('a start with a storage that does not answer goes on, with a warning', async () => {
  gate.cut();
  await prepareStorage(location(gate.url.replace(/\/$/, '')), log);
  expect(lines.join('')).toMatch(/"level":"warn".*uploads are refused as retryable until it does/);
});

test('a start with a storage that answers says where uploads are kept', async () => {
  await prepareStorage(location(), log);
  expect(lines.join('')).toContain('uploads are kept in a bucket');
});

test.each([
  [
    'an unknown key',
    { AWS_ACCESS_KEY_ID: 'SOMEBODYELSE' },
    server.bucket,
    /InvalidAccessKeyId; check AWS_ACCESS/,
  ],
  [
    'a wrong secret',
    { AWS_SECRET_ACCESS_KEY: 'hunter2-hunter2' },
    server.bucket,
    /SignatureDoesNotMatch; check AWS/,
  ],
  ['a missing bucket', {}, 'no-such-bucket', /NoSuchBucket; make it first/],
] as const)(
  '%s is named at the start, and no secret with it',
  async (_what, environment, bucket, problem) => {
    Object.assign(process.env, environment);
    const refusal = prepareStorage({ ...location(), bucket }, log);
    await expect(refusal).rejects.toMatchObject({
      name: 'ConfigError',
      problems: [expect.stringMatching(problem)],
    });
    await refusal.catch((error: Error) => {
      expect(error.message).not.toContain('hunter2');
      expect(error.message).not.toContain(server.secretAccessKey);
    });
  },
);
