import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, inject } from 'vitest';
import { asAdmin, type TestServer } from './test-server.ts';

export interface TestDatabase {
  readonly name: string;
  readonly url: string;
}

const MAX_NAME = 63;

/**
 * The name of a template database that `migrate` has filled, made once per run however many workers ask at once.
 * @param name up to 30 of a–z, 0–9 and _
 * @param migrate gets the address of the empty database; connections that it leaves open are closed
 */
export async function ensureTemplate(
  name: string,
  migrate: (url: string) => Promise<void>,
  server: TestServer = currentServer(),
): Promise<string> {
  const template = `${server.prefix}template_${name}`;
  if (!/^[a-z0-9_]{1,30}$/.test(name) || template.length > MAX_NAME) {
    throw new Error(`A template's name consists of up to 30 of a–z, 0–9 and _, not "${name}".`);
  }
  await asAdmin(server.adminUrl, async (client) => {
    // The others wait here until the first has made it.
    await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [template]);
    const found = await client.query('SELECT datistemplate FROM pg_database WHERE datname = $1', [template]);
    if (found.rows[0]?.datistemplate) return;
    // Not marked: whoever made it was killed halfway or its migration failed.
    await client.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${template} TEMPLATE template0 STRATEGY FILE_COPY`);
    await migrate(withDatabase(server.adminUrl, template));
    await client.query(`ALTER DATABASE ${template} ALLOW_CONNECTIONS false`);
    await client.query('SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1', [
      template,
    ]);
    await client.query(`ALTER DATABASE ${template} IS_TEMPLATE true`);
  });
  return template;
}

/**
 * A database of its own for one test file, cloned from `template` (about 15 ms), or empty. Call it at the top level of
 * the file: it is dropped after the file's tests unless one failed; then its name is printed, and it is kept for as
 * long as its server runs.
 */
export async function createTestDatabase({
  template = 'template0',
  server = currentServer(),
}: {
  template?: string;
  server?: TestServer;
} = {}): Promise<TestDatabase> {
  const name = `${server.prefix}${randomBytes(6).toString('hex')}`;
  await asAdmin(server.adminUrl, (client) =>
    client.query(`CREATE DATABASE ${name} TEMPLATE ${pg.escapeIdentifier(template)} STRATEGY FILE_COPY`),
  );
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the names of the fixtures wanted from this pattern
  afterAll(async ({}, suite) => {
    if (hasFailed(suite)) {
      console.error(`The database ${name} of this failed test file is kept.`);
    } else {
      await dropTestDatabase(name, server);
    }
  });
  return { name, url: withDatabase(server.adminUrl, name) };
}

/** Drops a database of `createTestDatabase`, also while it is being used. */
export async function dropTestDatabase(name: string, server: TestServer = currentServer()): Promise<void> {
  await asAdmin(server.adminUrl, (client) =>
    client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`),
  );
}

function currentServer(): TestServer {
  const server = inject('jobberTestServer');
  if (!server) {
    throw new Error(
      'No test server: name compose/embedded/postgres/test-global-setup.ts as globalSetup of vitest.',
    );
  }
  return server;
}

interface Task {
  readonly result?: { readonly state?: string } | undefined;
  readonly tasks?: readonly Task[];
}

function hasFailed(task: Task): boolean {
  return task.result?.state === 'fail' || (task.tasks ?? []).some(hasFailed);
}

function withDatabase(adminUrl: string, database: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  return url.href;
}
