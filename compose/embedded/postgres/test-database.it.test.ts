import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, ensureTemplate } from './test-database.ts';
import { asAdmin, startTestPostgres, type TestServer } from './test-server.ts';

let server: TestServer;
let stop: () => Promise<void>;

beforeAll(async () => {
  ({ server, stop } = await startTestPostgres());
});

afterAll(() => stop());

async function databases(): Promise<string[]> {
  return await asAdmin(server.adminUrl, async (client) => {
    const found = await client.query(
      "SELECT datname FROM pg_database WHERE datname LIKE 'jobber_test%' ORDER BY 1",
    );
    return found.rows.map((row) => row.datname as string);
  });
}

test('a template is migrated once however many ask at once, and again only if the migration failed', async () => {
  let times = 0;
  const migrate = async (url: string) => {
    times += 1;
    // Left open, as a migration tool may: cloning needs the template unused.
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    await client.connect();
    await client.query('CREATE TABLE item ()');
    if (times === 1) throw new Error('migration failed');
  };
  await expect(ensureTemplate('jobs', migrate, server)).rejects.toThrow('migration failed');
  const names = await Promise.all([1, 2, 3].map(() => ensureTemplate('jobs', migrate, server)));
  expect(new Set(names)).toEqual(new Set([`${server.prefix}template_jobs`]));
  expect(times).toBe(2);
  await expect(ensureTemplate("x'; --", migrate, server)).rejects.toThrow("A template's name");
});

test("files get databases of their own: dropped when the file passed, kept when it failed, and the run's templates go", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'jobber-test-run-'));
  const file = (passes: boolean) => `
    import { expect, test } from 'vitest';
    import pg from 'pg';
    import { createTestDatabase, ensureTemplate } from '${import.meta.dirname}/test-database.ts';
    const template = await ensureTemplate('cloned', async (url) => {
      const client = new pg.Client(url);
      await client.connect();
      await client.query('CREATE TABLE item AS SELECT 5 AS n');
      await client.end();
    });
    const database = await createTestDatabase({ template });
    test('sees what was migrated', async () => {
      const client = new pg.Client(database.url);
      await client.connect();
      expect((await client.query('SELECT n FROM item')).rows).toEqual([{ n: 5 }]);
      await client.end();
      expect(${passes}).toBe(true);
    });`;
  const modules = join(import.meta.dirname, '../../../node_modules');
  try {
    symlinkSync(modules, join(folder, 'node_modules'));
    writeFileSync(join(folder, 'passes.test.ts'), file(true));
    writeFileSync(join(folder, 'fails.test.ts'), file(false));
    writeFileSync(
      join(folder, 'vitest.config.ts'),
      `export default { test: { globalSetup: '${import.meta.dirname}/test-global-setup.ts', pool: 'forks', maxWorkers: 2 } };`,
    );
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [join(modules, 'vitest/vitest.mjs'), 'run', '--root', folder],
      { env: { NO_COLOR: '1', PATH: process.env['PATH'], JOBBER_TEST_DATABASE_URL: server.adminUrl } },
    ).catch((error: { stdout: string; stderr: string }) => error);
    expect(stdout).toMatch(/Tests +1 failed \| 1 passed/);
    const kept = /The database (\S+) of this failed test file is kept/.exec(stdout + stderr)?.[1];
    const left = (await databases()).filter((name) => !name.startsWith(server.prefix));
    expect(left).toEqual([kept]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('outside a run with the global setup it says what is missing', async () => {
  await expect(
    createTestDatabase({ server: { adminUrl: 'postgres://127.0.0.1:1/x', prefix: 'p_' } }),
  ).rejects.toThrow('ECONNREFUSED');
});
