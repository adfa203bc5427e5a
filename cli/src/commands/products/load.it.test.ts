import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { startLoggedIn } from '../../testing/logged-in.ts';
import { makeTestCli } from '../../testing/test-cli.ts';
import { jobOf, sendJson } from '../../testing/test-platform.ts';

const CONTENT = '[{"name":"Lamp"},{"name":"Desk"},{"name":"Chair"}]';

async function setUp() {
  const set = await startLoggedIn();
  const { cli } = set;
  const path = join(dirname(cli.home), 'my "products".json');
  writeFileSync(path, CONTENT);
  return { ...set, path };
}

function reportOf(completed: number, failed: number) {
  const status = failed > 0 ? 'FAILED' : 'COMPLETED';
  const job = jobOf({ name: 'LoadProducts', slug: 'load-products', size: 3, completed, failed, status });
  const errors = failed > 0 ? [{ index: 2, reason: 'CONFLICT', message: 'SKU taken' }] : [];
  return {
    job: {
      ...job,
      result: null,
      counters: { created: completed },
      errors,
      running: [],
      history: [],
      historySize: 0,
    },
  };
}

test('uploads the file as it is, loads it and sums up', async () => {
  await using set = await setUp();
  let body = '';
  const { upload } = set.platform;
  set.platform.upload = (bytes, response) => {
    body = bytes.toString('utf8');
    upload(bytes, response);
  };
  set.platform.answers['JobReport'] = () => reportOf(3, 0);
  const run = await set.cli.run(['products', 'load', set.path]);
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  expect(run.stdout).toBe(
    'Uploaded my "products".json: 50 B, 3 records\nJob 12 loaded 3 records: 3 created, 0 updated, 0 failed (2/s in 1.5 s)\nSee them with: jobber products list --job 12\n',
  );
  expect(body).toContain(
    `name="file"; filename="my %22products%22.json"\r\ncontent-type: application/json\r\n\r\n${CONTENT}\r\n--`,
  );
  const job = set.platform.calls.find(({ operation }) => operation === 'Run');
  expect(job?.variables['input']).toMatchObject({
    name: 'LoadProducts',
    data: { fileName: 'upload-1.json' },
  });
});

test('a load of which a part failed ends with 7, one that failed as a whole with 1', async () => {
  await using set = await setUp();
  set.platform.answers['JobReport'] = () => reportOf(2, 1);
  const part = await set.cli.run(['products', 'load', set.path, '--json']);
  expect(part.exitCode).toBe(7);
  expect(part.json()).toMatchObject({
    summary: { records: 3, created: 2, updated: 0, failed: 1, seconds: 1.5 },
  });
  const text = await set.cli.run(['products', 'load', set.path]);
  expect(text.stdout).toContain('SKU taken');
  set.platform.answers['JobReport'] = () => reportOf(0, 3);
  expect((await set.cli.run(['products', 'load', set.path])).exitCode).toBe(1);
});

test('a refused file ends with 2 and lists the first problems and how many there are', async () => {
  await using set = await setUp();
  const problem = { line: 7, field: 'price', expected: 'a decimal', got: '-1\u001b[31m', message: 'x' };
  const problems = Array.from({ length: 25 }, (_, index) => ({ index, ...problem }));
  set.platform.upload = (_body, response) =>
    sendJson(response, 400, {
      message: 'The file has 4,000 problems',
      code: 400,
      reason: 'INVALID_FILE',
      details: { problems, total: 4000 },
    });
  const run = await set.cli.run(['products', 'load', set.path]);
  expect(run.exitCode).toBe(2);
  const lines = run.stderr.trimEnd().split('\n');
  expect(lines[0]).toBe('Error: The file has 4,000 problems');
  expect(lines[2]).toMatch(/^index +line +field +expected +got$/);
  expect(lines[3]).toMatch(/^ +0 +7 +price +a decimal +-1$/);
  expect(lines).toHaveLength(2 + 1 + 20 + 1);
  expect(lines.at(-1)).toBe('… and 3980 more');
});

test.each([
  ['none.json', 'none.json does not exist'],
  ['.', '. is a directory'],
  ['/dev/zero', '/dev/zero is a device'],
])('%s is refused before any request', async (path, message) => {
  await using set = await setUp();
  const run = await set.cli.run(['products', 'load', path]);
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toContain(`Error: ${message}`);
  expect(set.platform.calls).toEqual([]);
});

test('a server that refuses before it has read everything is understood', async () => {
  using cli = makeTestCli();
  const server = createServer((request, response) => {
    request.once('data', () => {
      sendJson(response, 413, { message: 'The file is larger than 1 MiB', code: 413, reason: 'TOO_LARGE' });
      // Closing here, with bytes unread, could reset the connection before the answer has been read.
      request.pause();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  cli.loginTo(url);
  const path = join(dirname(cli.home), 'large.csv');
  writeFileSync(path, Buffer.alloc(30 * 1024 * 1024, 'a'));
  const run = await cli.run(['products', 'load', path, '--server', url]);
  server.closeAllConnections();
  server.close();
  expect(run.stderr).toBe('Error: The file is larger than 1 MiB\n');
  expect(run.exitCode).toBe(5);
});

test('a connection that the server resets in the middle of an upload is told as that', async () => {
  await using set = await setUp();
  set.platform.before = (request) => {
    request.once('data', () => request.socket.resetAndDestroy());
    return true;
  };
  const path = join(dirname(set.cli.home), 'large.csv');
  writeFileSync(path, Buffer.alloc(10 * 1024 * 1024, 'a'));
  const run = await set.cli.run(['products', 'load', path]);
  expect(run.stderr).toBe(
    `Error: ${set.platform.url} reset the connection while the file was sent: nothing was loaded; try again\n`,
  );
  expect(run.exitCode).toBe(6);
});

test('--no-wait ends when the job is accepted', async () => {
  await using set = await setUp();
  const run = await set.cli.run(['products', 'load', set.path, '--no-wait']);
  expect(run.exitCode).toBe(0);
  expect(run.stdout).toContain('Job 12 loads them. Follow it with: jobber job show 12 --wait');
});
