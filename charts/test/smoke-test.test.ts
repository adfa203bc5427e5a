import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const SMOKE_TEST = fileURLToPath(new URL('../jobber/files/smoke-test.mjs', import.meta.url));
/** The program's clock runs so many times as fast: it gives up at once. */
const HURRY = ['--import', 'data:text/javascript,const { now } = Date; Date.now = () => now() * 15_000'];
const NOT_FOUND = {
  errors: [{ message: 'Job not found: Fibonacci', extensions: { code: 404, reason: 'JOB_TYPE_NOT_FOUND' } }],
};

/** Answers as a platform to which executors offer their types after so many requests for a job. */
async function startFakePlatform(refusals: number): Promise<string> {
  let left = refusals;
  const server = createServer(async (request, response) => {
    const { query } = (await json(request)) as { query: string };
    response.end(JSON.stringify(answer(query)));
  });
  function answer(query: string): object {
    if (query.includes('login(')) return { data: { login: { accessToken: 'token' } } };
    if (query.includes('executeJob(')) {
      left -= 1;
      return left >= 0 ? NOT_FOUND : { data: { executeJob: { id: 1, status: 'IN_PROGRESS' } } };
    }
    if (query.includes('products(')) return { data: { products: [{ sku: 'helm-test', price: '14.6775' }] } };
    return { data: { job: { status: 'COMPLETED', result: { number: '354224848179261915075' } } } };
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function run(url: string, ...flags: string[]): Promise<string> {
  const env = { ...process.env, AUTH_URL: url, JOBS_URL: url, PRODUCTS_URL: url };
  return (await promisify(execFile)(process.execPath, [...flags, SMOKE_TEST], { env })).stdout;
}

test('`helm test` waits for executors that have not offered their job types yet', async () => {
  expect(await run(await startFakePlatform(2))).toMatch(/ok {2}the product is loaded/);
});

test('and says so when none has after all', async () => {
  await expect(run(await startFakePlatform(Number.POSITIVE_INFINITY), ...HURRY)).rejects.toThrow(
    '/jobs/graphql: Job not found: Fibonacci, still after 240 s',
  );
});
