import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { createTestDatabase } from '@jobber/compose/test-database';
import { afterAll, afterEach, expect, test } from 'vitest';
import { SERVICE_SECRET } from './testing/fake-auth.ts';
import { createJobsDatabase } from './testing/test-jobs.ts';

const migrated = await createJobsDatabase();
const { url: empty } = await createTestDatabase();
const folder = await mkdtemp(join(tmpdir(), 'jobber-jobs-main-'));
const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

const running: ChildProcess[] = [];
const servers: Server[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The real entry file as a process of its own. */
function startDaemon(environment: Record<string, string | undefined>) {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  running.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  const started = performance.now();
  return {
    child,
    output: () => output,
    // Closed, and not only ended: all of the output has been read then.
    exited: once(child, 'close').then(([code]) => ({ code, ms: performance.now() - started })),
    async port() {
      await expect.poll(() => output).toMatch(/"port":\d+/);
      return Number(/"port":(\d+)/.exec(output)?.[1]);
    },
    started: () => expect.poll(() => output).toContain('"msg":"started"'),
  };
}

function settings(others: Record<string, string> = {}): Record<string, string> {
  return {
    JOBS_PORT: '0',
    JOBS_GRPC_PORT: '0',
    JOBS_DATABASE_URL: migrated,
    JOBS_UPLOADS_DIR: join(folder, 'uploads'),
    SERVICE_SECRET,
    ...others,
  };
}

async function takePort(): Promise<number> {
  const server = createServer();
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

test('it starts, is ready, and stops in order at SIGTERM and when its supervisor goes', async () => {
  for (const stop of ['SIGTERM', 'stdin'] as const) {
    const daemon = startDaemon(settings({ JOBBER_SUPERVISED: stop === 'stdin' ? '1' : '' }));
    await daemon.started();
    const response = await fetch(`http://127.0.0.1:${await daemon.port()}/jobs/ready`);
    expect([response.status, await response.json()]).toEqual([200, { status: 'ready' }]);
    if (stop === 'stdin') daemon.child.stdin?.end();
    else daemon.child.kill('SIGTERM');
    expect((await daemon.exited).code).toBe(0);
    expect(daemon.output()).not.toMatch(/"level":"(warn|error|fatal)"/);
  }
});

test('every problem of the configuration is named at once, and no secret is told', async () => {
  const daemon = startDaemon({
    JOBS_PORT: '70000',
    JOBS_GRPC_PORT: 'abc',
    JOBS_DATABASE_URL: 'mysql://jobs:hunter2@localhost/jobs',
    AUTH_GRPC_URL: 'http://nowhere',
    JOBS_UPLOAD_MAX_BYTES: '-1',
    JOBS_UPLOAD_RETENTION_DAYS: '0',
    JOBS_LEASE_SECONDS: '1e3',
    LOG_LEVEL: 'loud',
  });
  const { code, ms } = await daemon.exited;
  expect(code).toBe(78);
  expect(ms).toBeLessThan(30_000);
  for (const variable of [
    'JOBS_PORT must be a port',
    'JOBS_GRPC_PORT must be a port',
    'JOBS_DATABASE_URL must be a URL',
    'AUTH_GRPC_URL must be an address',
    'JOBS_UPLOAD_MAX_BYTES must be a whole number',
    'JOBS_UPLOAD_RETENTION_DAYS must be a whole number',
    'JOBS_LEASE_SECONDS must be a whole number',
    'LOG_LEVEL must be one of',
    'SERVICE_SECRET must be set',
  ]) {
    expect(daemon.output()).toContain(variable);
  }
  expect(daemon.output()).not.toContain('hunter2');
});

test('weak and published secrets are refused outside development', async () => {
  const weak = ['short', 'a'.repeat(64), 'development-only-service-secret-replace-me-in-production'];
  for (const secret of weak) {
    const daemon = startDaemon(settings({ SERVICE_SECRET: secret }));
    expect((await daemon.exited).code).toBe(78);
    expect(daemon.output()).toContain('SERVICE_SECRET');
    expect(daemon.output()).not.toContain(secret);
  }
});

test('missing migrations are named', async () => {
  const daemon = startDaemon(settings({ JOBS_DATABASE_URL: empty }));
  expect((await daemon.exited).code).toBe(78);
  expect(daemon.output()).toMatch(
    /"level":"fatal".*lacks migrations 0001-jobs-and-tasks.*; run npm run full-migrate/,
  );
});

test('a folder that cannot be written to is named', async () => {
  const file = join(folder, 'a-file');
  await writeFile(file, '');
  const daemon = startDaemon(settings({ JOBS_UPLOADS_DIR: join(file, 'uploads') }));
  expect((await daemon.exited).code).toBe(78);
  expect(daemon.output()).toContain('JOBS_UPLOADS_DIR must be a folder that can be written to; got ENOTDIR');
});

test('a taken port is named', async () => {
  const port = await takePort();
  for (const variable of ['JOBS_PORT', 'JOBS_GRPC_PORT']) {
    const daemon = startDaemon(settings({ [variable]: String(port) }));
    expect((await daemon.exited).code).toBe(1);
    expect(daemon.output()).toContain(`port ${port} is taken by another program; choose another one`);
  }
});

test('without a database it is alive and not ready, and a signal ends it while it waits', async () => {
  const daemon = startDaemon(settings({ JOBS_DATABASE_URL: 'postgresql://jobs:hunter2@127.0.0.1:1/jobs' }));
  const origin = `http://127.0.0.1:${await daemon.port()}`;
  expect((await fetch(`${origin}/jobs/live`)).status).toBe(200);
  expect((await fetch(`${origin}/jobs/ready`)).status).toBe(503);
  await expect.poll(daemon.output).toContain('the database does not answer');
  daemon.child.kill('SIGTERM');
  expect((await daemon.exited).code).toBe(0);
  expect(daemon.output()).not.toContain('hunter2');
});

test('the example settings start it in development', async () => {
  const example = parseEnv(await readFile(new URL('.env.example', import.meta.url), 'utf8'));
  const daemon = startDaemon({ ...example, ...settings(), SERVICE_SECRET: example['SERVICE_SECRET'] });
  await daemon.started();
  expect(daemon.output()).toMatch(/"level":"warn".*SERVICE_SECRET is a published example.*tolerated/);
  daemon.child.kill('SIGTERM');
  expect((await daemon.exited).code).toBe(0);
});

test('the example settings explain every variable that is read', async () => {
  const example = parseEnv(await readFile(new URL('.env.example', import.meta.url), 'utf8'));
  const sources = await Promise.all(
    [
      './config.ts',
      '../shared/config/load-daemon-config.ts',
      '../shared/config/grpc-tls.ts',
      '../shared/broker/broker-config.ts',
    ].map((path) => readFile(new URL(path, import.meta.url), 'utf8')),
  );
  const read = [...sources.join().matchAll(/(?:setting\(|: )'([A-Z]+_[A-Z_]+)'/g)].map(([, name]) => name);
  expect(Object.keys(example).sort()).toEqual(read.sort());
});
