import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { fibonacciWork, loadWork } from '../load/workloads.ts';
import { countConnections, type Footprint, readFootprints } from '../platform/footprint.ts';
import type { World } from '../platform/world.ts';
import { waitUntil } from '../wait-until.ts';
import { LONG, useWorld } from './test-world.ts';

const world = useWorld('bounded');
/** What is opened once, such as connections of pools, is open after these. */
const JOBS_BEFORE = LONG ? 1_000 : 300;
/** What grows with the number of jobs grows with these. */
const JOBS = LONG ? 5_000 : 1_000;
const SUBMITTERS = 16;
const ABORTED = 1_000;
const ABORTED_AT_ONCE = 50;
/** Heaps are collected when it suits them. */
const MEMORY_MB = 80;

test('memory, descriptors and connections are as before after a thousand jobs and 1,000 aborted requests', async ({
  skip,
}) => {
  if (!existsSync('/proc/self/fd')) return skip('descriptors are counted in /proc, and there is none');
  const { platform, hold } = world.get();
  await submitMany(world.get(), JOBS_BEFORE);
  await hold();
  const start = await settled(world.get());
  const connections = await countConnections(platform);
  await submitMany(world.get(), JOBS);
  await abortMany(world.get());
  await hold();
  const isBack = (now: readonly Footprint[]) =>
    now.every(({ descriptors }, index) => descriptors <= (start[index]?.descriptors ?? 0));
  await waitUntil('descriptors are back to the start', async () => {
    const now = readFootprints(platform);
    if (!isBack(now)) throw new Error(`before: ${JSON.stringify(start)}, now: ${JSON.stringify(now)}`);
    return true;
  });
  expect(await countConnections(platform)).toBeLessThanOrEqual(connections);
  for (const [index, { name, memoryMb }] of readFootprints(platform).entries()) {
    expect(memoryMb, name).toBeLessThan((start[index]?.memoryMb ?? 0) + MEMORY_MB);
  }
  expect(platform.daemons.flatMap(({ ends }) => ends)).toEqual([]);
});

async function submitMany({ submitter, random }: World, jobs: number): Promise<void> {
  const works = Array.from({ length: jobs }, (_, index) =>
    index % 3 === 0 ? loadWork(random, 3) : fibonacciWork(random, 2),
  ).values();
  await Promise.all(
    Array.from({ length: SUBMITTERS }, async () => {
      for (const work of works) await submitter.submit(work);
    }),
  );
}

/** Once sockets that are kept alive have been closed: the same three times, a second apart. */
async function settled({ platform }: World): Promise<Footprint[]> {
  const seen: Footprint[][] = [];
  const total = (footprints: Footprint[] = []) =>
    footprints.reduce((sum, { descriptors }) => sum + descriptors, 0);
  await waitUntil(
    'the descriptors stay as they are',
    () => {
      seen.push(readFootprints(platform));
      const lastOnes = seen.slice(-6).map(total);
      return seen.length > 6 && new Set(lastOnes).size === 1;
    },
    { everyMs: 1_000 },
  );
  return seen.at(-1) ?? [];
}

/** Requests and uploads whose caller goes away in the middle. */
async function abortMany({ platform, client }: World): Promise<void> {
  const port = Number(new URL(platform.urls.jobsDirect).port);
  const head = (path: string, type: string) =>
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${client.token}\r\ncontent-type: ${type}\r\ncontent-length: 100000\r\n\r\n`;
  const upload = `${head('/jobs/uploads/file', 'multipart/form-data; boundary=x')}--x\r\ncontent-disposition: form-data; name="file"; filename="a.json"\r\n\r\n[{"name":`;
  const query = `${head('/jobs/graphql', 'application/json')}{"query":"mutation`;
  const requests = Array.from({ length: ABORTED }, (_, index) => (index % 2 === 0 ? upload : query)).values();
  await Promise.all(
    Array.from({ length: ABORTED_AT_ONCE }, async () => {
      for (const request of requests) await abort(port, request);
    }),
  );
}

function abort(port: number, request: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject);
    socket.once('close', () => resolve());
    socket.once('connect', () => socket.write(request, () => socket.resetAndDestroy()));
  });
}
