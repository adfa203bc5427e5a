// What a storage does that no real one can be made to do; the rest is tested with a real one (*.s3.test.ts).
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { collect, pieces } from '../testing/storage-contract.ts';
import { parseS3Url, type S3Location } from './s3-location.ts';
import { createS3Storage } from './s3-storage.ts';

test('a storage that is silent is asked once: nobody waits for it twice', async () => {
  const asked: (string | undefined)[] = [];
  const server = createServer(({ method }) => void asked.push(method)).listen(0, '127.0.0.1');
  onTestFinished(() => {
    vi.unstubAllEnvs();
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, 'of nobody');
  const { port } = server.address() as AddressInfo;
  const storage = createS3Storage(parseS3Url(`s3://bucket?endpoint=http://127.0.0.1:${port}`) as S3Location);
  const name = `${randomUUID()}.json`;
  const works = {
    PUT: () => storage.write(name, pieces(10)),
    POST: () => storage.write(name, pieces(20 * 1024 * 1024)),
    GET: () => collect(storage.read(name) as never),
    DELETE: () => storage.remove(name),
  };
  await Promise.all(
    Object.values(works).map((work) =>
      expect(work()).rejects.toMatchObject({ name: 'StorageUnavailableError' }),
    ),
  );
  expect(asked.toSorted()).toEqual(Object.keys(works).toSorted());
});
