import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '@jobber/compose/free-port';
import { createTestDatabase } from '@jobber/compose/test-database';
import { type DatabaseGate, SOON_MS, startDatabaseGate } from '@jobber/compose/test-database-gate';
import { createScope } from '@jobber/shared/lifecycle';
import { createLogger } from '@jobber/shared/log';
import { afterAll, afterEach, expect, test } from 'vitest';
import { createProductsDatabase, startFakeAuth, TEST_SERVICE_SECRET } from './test-products.ts';

const { url: migrated } = await createProductsDatabase();
const { url: empty } = await createTestDatabase();
const scope = createScope(createLogger({ daemon: 'test', level: 'silent' }));
const authGrpcUrl = await startFakeAuth(scope);
afterAll(() => scope.release());

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
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
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
    PRODUCTS_PORT: '0',
    PRODUCTS_GRPC_PORT: '0',
    PRODUCTS_DATABASE_URL: databaseUrl,
    AUTH_GRPC_URL: authGrpcUrl,
    SERVICE_SECRET: TEST_SERVICE_SECRET,
    ...others,
  };
}

/** A way to the database that is cut at first. */
async function startClosedGate(databaseUrl: string): Promise<DatabaseGate> {
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

/** The reason of a refusal, or how many categories there are. */
async function askCategories(port: number, query = '{ categories { name } }'): Promise<string | number> {
  const response = await fetch(`http://127.0.0.1:${port}/products/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer viewer' },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as {
    data: { categories: unknown[] };
    errors?: { extensions: { reason: string } }[];
  };
  return errors?.[0]?.extensions.reason ?? data.categories.length;
}

test('a wrong configuration ends it at once with exit code 78 and names every problem', async () => {
  const daemon = startDaemon({
    PRODUCTS_PORT: 'abc',
    PRODUCTS_GRPC_PORT: '70000',
    SERVICE_SECRET: 'hunter2',
  });
  expect(await daemon.exited).toBe(78);
  for (const variable of ['PRODUCTS_PORT', 'PRODUCTS_GRPC_PORT', 'PRODUCTS_DATABASE_URL', 'SERVICE_SECRET']) {
    expect(daemon.output()).toContain(`"msg":"${variable} must`);
  }
  expect(daemon.output()).not.toContain('hunter2');
});

test('missing migrations end it with exit code 78 and say what to run', async () => {
  const daemon = startDaemon(settings(empty));
  expect(await daemon.exited).toBe(78);
  expect(daemon.output()).toContain(
    'database products lacks migrations 0001-catalog; run npm run full-migrate',
  );
});

test('a taken port is named', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  for (const variable of ['PRODUCTS_PORT', 'PRODUCTS_GRPC_PORT']) {
    const daemon = startDaemon(settings(migrated, { [variable]: String(port) }));
    expect(await daemon.exited).toBe(1);
    expect(daemon.output()).toContain(`port ${port} is taken by another program`);
  }
});

test('without its database it lives, is not ready and refuses as retryable; with it, it serves; SIGTERM ends it with 0', async () => {
  const gate = await startClosedGate(migrated);
  const port = await findFreePort();
  const daemon = startDaemon(settings(gate.url, { PRODUCTS_PORT: String(port) }));
  const status = (path: string) => statusOf(port, path).catch(() => 0);
  await expect.poll(() => status('/products/live')).toBe(200);
  expect(await status('/products/ready')).toBe(503);
  expect(await askCategories(port)).toBe('UNAVAILABLE');

  gate.open();
  await expect.poll(() => status('/products/ready')).toBe(200);
  expect(await askCategories(port)).toBe(9);

  for (const away of ['cut', 'fallSilent'] as const) {
    gate[away]();
    const started = performance.now();
    expect(await askCategories(port)).toBe('UNAVAILABLE');
    expect(performance.now() - started).toBeLessThan(SOON_MS);
    expect(await status('/products/live')).toBe(200);
    expect(await status('/products/ready')).toBe(503);
    gate.open();
    await expect.poll(() => askCategories(port)).toBe(9);
    expect(await status('/products/ready')).toBe(200);
  }
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

test('introspection is off unless NODE_ENV says otherwise', async () => {
  const port = await startDaemon(settings(migrated)).port();
  expect(await askCategories(port, '{ __schema { types { name } } }')).toBe('MALFORMED_REQUEST');
});
