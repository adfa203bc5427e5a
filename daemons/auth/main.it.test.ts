import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '@jobber/compose/free-port';
import { createTestDatabase } from '@jobber/compose/test-database';
import { type DatabaseGate, SOON_MS, startDatabaseGate } from '@jobber/compose/test-database-gate';
import { afterEach, expect, test } from 'vitest';
import { createAuthDatabase, TEST_SERVICE_SECRET } from './test-auth.ts';

const { url: migrated } = await createAuthDatabase();
const { url: empty } = await createTestDatabase();

const running: ChildProcess[] = [];
const gates: DatabaseGate[] = [];
const servers: Server[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
  for (const gate of gates.splice(0)) gate.close();
  for (const server of servers.splice(0)) server.close();
});

interface Daemon {
  readonly child: ChildProcess;
  output(): string;
  /** Resolves with the exit code, once all of the output has been read. */
  readonly exited: Promise<number | null>;
  /** The HTTP port, once it has been logged. */
  port(): Promise<number>;
}

/** The real entry file as a process of its own. */
function startDaemon(environment: Record<string, string>): Daemon {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./main.ts', import.meta.url))], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  running.push(child);
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    output += chunk;
  });
  return {
    child,
    output: () => output,
    exited: once(child, 'close').then(([code]) => code as number | null),
    async port() {
      await expect.poll(() => /"port":(\d+)/.test(output)).toBe(true);
      return Number(/"port":(\d+)/.exec(output)?.[1]);
    },
  };
}

function settings(databaseUrl: string, others: Record<string, string> = {}): Record<string, string> {
  return {
    AUTH_PORT: '0',
    AUTH_GRPC_PORT: '0',
    AUTH_DATABASE_URL: databaseUrl,
    SERVICE_SECRET: TEST_SERVICE_SECRET,
    ...others,
  };
}

async function startClosedGate(databaseUrl: string) {
  const gate = await startDatabaseGate(databaseUrl);
  gates.push(gate);
  gate.cut();
  return gate;
}

async function statusOf(port: number, path: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  await response.text();
  return response.status;
}

async function createUser(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/auth/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      query:
        'mutation { createUser(createUserInput: { email: "a@example.com", password: "12345678" }) { id } }',
    }),
  });
  const { errors } = (await response.json()) as { errors?: { extensions: { reason: string } }[] };
  return errors?.[0]?.extensions.reason ?? 'created';
}

test('a daemon that is to serve on after the signal does so, says that it goes, and then ends', async () => {
  const daemon = startDaemon(settings(migrated, { AUTH_DRAIN_SECONDS: '10' }));
  const port = await daemon.port();
  await expect.poll(() => daemon.output()).toContain('"msg":"started"');
  daemon.child.kill('SIGTERM');
  await expect.poll(() => statusOf(port, '/auth/ready')).toBe(503);
  const response = await fetch(`http://127.0.0.1:${port}/auth/live`);
  expect([response.status, response.headers.get('connection')]).toEqual([200, 'close']);
  expect(await daemon.exited).toBe(0);
});

test('a wrong configuration ends it at once with exit code 78 and names every problem', async () => {
  const daemon = startDaemon({ AUTH_PORT: 'abc', SERVICE_SECRET: 'hunter2' });
  expect(await daemon.exited).toBe(78);
  for (const variable of ['AUTH_PORT', 'AUTH_DATABASE_URL', 'SERVICE_SECRET']) {
    expect(daemon.output()).toContain(`"msg":"${variable} must`);
  }
  expect(daemon.output()).not.toContain('hunter2');
});

test('missing migrations end it with exit code 78 and say what to run', async () => {
  const daemon = startDaemon(settings(empty));
  expect(await daemon.exited).toBe(78);
  expect(daemon.output()).toContain(
    'database auth lacks migrations 0001-users-and-sessions, 0002-revocations; run npm run full-migrate',
  );
});

test('a taken port is named', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  for (const variable of ['AUTH_PORT', 'AUTH_GRPC_PORT']) {
    const daemon = startDaemon(settings(migrated, { [variable]: String(port) }));
    expect(await daemon.exited).toBe(1);
    expect(daemon.output()).toContain(`port ${port} is taken by another program`);
  }
});

test('without its database it lives, is not ready and refuses as retryable; with it, it serves; SIGTERM ends it with 0', async () => {
  const gate = await startClosedGate(migrated);
  const port = await findFreePort();
  const daemon = startDaemon(settings(gate.url, { AUTH_PORT: String(port) }));
  const status = (path: string) => statusOf(port, path).catch(() => 0);
  await expect.poll(() => status('/auth/live')).toBe(200);
  expect(await status('/auth/ready')).toBe(503);
  expect(await createUser(port)).toBe('UNAVAILABLE');
  expect(await status('/auth/.well-known/jwks.json')).toBe(503);

  gate.open();
  await expect.poll(() => status('/auth/ready')).toBe(200);
  expect(await createUser(port)).toBe('created');

  gate.cut();
  const started = performance.now();
  expect(await createUser(port)).toBe('UNAVAILABLE');
  expect(performance.now() - started).toBeLessThan(SOON_MS);
  expect(await status('/auth/live')).toBe(200);
  expect(await status('/auth/ready')).toBe(503);

  gate.open();
  await expect.poll(() => createUser(port)).toBe('EMAIL_TAKEN');
  expect(await status('/auth/ready')).toBe(200);
  daemon.child.kill('SIGTERM');
  expect(await daemon.exited).toBe(0);
  expect(daemon.output()).not.toContain(new URL(migrated).password);
});

test('SIGTERM while it waits for the database is an ordinary end', async () => {
  const gate = await startClosedGate(migrated);
  const daemon = startDaemon(settings(gate.url));
  await expect.poll(() => daemon.output()).toContain('the database does not answer');
  daemon.child.kill('SIGTERM');
  expect(await daemon.exited).toBe(0);
});

test('a supervised daemon ends when its supervisor does', async () => {
  const daemon = startDaemon(settings(migrated, { JOBBER_SUPERVISED: 'true' }));
  await daemon.port();
  daemon.child.stdin?.end();
  expect(await daemon.exited).toBe(0);
});

test('GraphiQL and introspection are off unless NODE_ENV says otherwise', async () => {
  const port = await startDaemon(settings(migrated)).port();
  const response = await fetch(`http://127.0.0.1:${port}/auth/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ __schema { types { name } } }' }),
  });
  expect(((await response.json()) as { data: unknown }).data).toBeNull();
});
