import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { databaseUrl, ensureDatabases, type PostgresServer, startPostgres } from './index.ts';

const auth = { database: 'auth', role: 'auth', password: "auth's-secret" };
const jobs = { database: 'jobs', role: 'jobs', password: 'jobs-secret' };
let folder: string;
let server: PostgresServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'jobber-postgres-test-'));
  server = await startPostgres({ dataDir: join(folder, 'data'), mode: 'throwaway' });
});

afterAll(async () => {
  await server.stop({ mode: 'immediate' });
  rmSync(folder, { recursive: true });
});

async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

test('each role owns its database and no other may connect to it, however often and by whomever it is asked for', async () => {
  await Promise.all([
    ensureDatabases(server.adminUrl, [auth, jobs]),
    ensureDatabases(server.adminUrl, [jobs, auth]),
  ]);
  await ensureDatabases(server.adminUrl, [auth, jobs]);
  await run(databaseUrl(server.adminUrl, auth), 'CREATE TABLE mine ()');
  await run(databaseUrl(server.adminUrl, jobs), 'CREATE SCHEMA mine');
  const trespass = databaseUrl(server.adminUrl, { ...auth, database: 'jobs' });
  await expect(run(trespass, 'SELECT 1')).rejects.toThrow('permission denied for database "jobs"');
});

test('a password is set to the one given, and none is in the log', async () => {
  await ensureDatabases(server.adminUrl, [auth]);
  const changed = { ...auth, password: 'another-secret' };
  await ensureDatabases(server.adminUrl, [changed]);
  await expect(run(databaseUrl(server.adminUrl, auth), 'SELECT 1')).rejects.toThrow(
    'password authentication failed',
  );
  await run(databaseUrl(server.adminUrl, changed), 'SELECT 1');
  // A statement that fails is logged by PostgreSQL.
  await expect(
    ensureDatabases(databaseUrl(server.adminUrl, changed), [{ ...jobs, role: 'x' }]),
  ).rejects.toThrow();
  const log = readFileSync(server.logFile, 'utf8');
  expect(log).toContain('CREATE ROLE');
  expect(log).not.toContain('secret');
});
