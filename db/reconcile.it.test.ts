import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createTestDatabase } from '@jobber/compose/test-database';
import pg from 'pg';
import { beforeAll, expect, test } from 'vitest';
import { authDatabase } from './auth/index.ts';
import { compareDatabases, type DatabaseUrls } from './compare-databases.ts';
import { jobsDatabase } from './jobs/index.ts';
import { migrate } from './migrate-database.ts';
import { productsDatabase } from './products/index.ts';
import { reconcileDatabases } from './reconcile-databases.ts';

const OWNER = randomUUID();
let urls: DatabaseUrls;

beforeAll(async () => {
  const definitions = { auth: authDatabase, jobs: jobsDatabase, products: productsDatabase };
  const made = Object.entries(definitions).map(async ([name, definition]) => {
    const { url } = await createTestDatabase();
    await migrate(definition, url);
    return [name, url] as const;
  });
  urls = Object.fromEntries(await Promise.all(made)) as DatabaseUrls;
  await run(
    'auth',
    `insert into user_account (id, email, password_hash, roles) values
    ('${OWNER}', 'ada@example.com', '$argon2id$x', '{member}')`,
  );
  await run(
    'auth',
    `insert into session (user_id, address, expires_at) values
    ('${OWNER}', '::1', now() + interval '1 day')`,
  );
  await loadDone(1, 2);
});

async function run(database: keyof DatabaseUrls, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: urls[database] });
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

/** A job that both databases know, with `items` effects. */
async function loadDone(id: number, items: number, owner = OWNER): Promise<void> {
  await run(
    'jobs',
    `insert into job (id, owner_id, type, status, size, completed, ended_at) values
    (${id}, '${owner}', 'load-products', 'COMPLETED', ${items}, ${items}, now())`,
  );
  await run('jobs', `select setval('job_id_seq', ${id})`);
  await effects(id, items);
}

async function effects(job: number, items: number): Promise<void> {
  for (let item = 0; item < items; item += 1)
    await run(
      'products',
      `with made as (
        insert into product (name, category, price, base_price, stock, rating, description, job_id)
        values ('Kite', 'Toys & Games', 1, 1, 1, 1, '', ${job}) returning id)
      insert into effect (job_id, item_index, product_id, created) select ${job}, ${item}, id, true from made`,
    );
}

function command(args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const program = fileURLToPath(new URL('./reconcile.ts', import.meta.url));
  const env = {
    PATH: process.env['PATH'],
    AUTH_DATABASE_URL: urls.auth,
    JOBS_DATABASE_URL: urls.jobs,
    PRODUCTS_DATABASE_URL: urls.products,
  };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...args], { env }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

test('databases of one moment belong together, and the command says so', async () => {
  expect(await compareDatabases(urls)).toEqual({
    jobNumbersUsed: undefined,
    unknownJobs: [],
    missingEffects: [],
    unknownOwners: [],
  });
  expect(await command([])).toEqual({ code: 0, stdout: 'the databases belong together\n', stderr: '' });
});

test('wrong usage is told, and changes nothing', async () => {
  expect(await command(['--remove-products'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^Usage/),
  });
  expect(await command(['--aply'])).toMatchObject({ code: 2 });
});

test('Products ahead of Jobs: the next job gets a new number, and what unknown jobs made is taken back on request', async () => {
  await effects(7, 3);
  expect(await compareDatabases(urls)).toMatchObject({
    jobNumbersUsed: { next: 2, highestUsed: 7 },
    unknownJobs: [{ jobId: 7, products: 3 }],
  });
  const dry = await command([]);
  expect(dry.code).toBe(3);
  expect(dry.stdout).toMatch(/the next job would be 2, and Products has effects of jobs up to 7/);
  expect((await run('products', 'select from effect')).rowCount).toBe(5);

  const applied = await command(['--apply']);
  expect([applied.code, applied.stdout]).toEqual([
    3,
    expect.stringContaining('changed: the next job is 1007'),
  ]);
  expect((await run('products', 'select from effect')).rowCount).toBe(5);

  const { done } = await reconcileDatabases(urls, { removeProducts: true, endSessions: false });
  expect(done).toEqual({ nextJobId: undefined, productsRemoved: 3, sessionsEnded: 0 });
  expect((await run('products', 'select from product')).rowCount).toBe(2);
  expect((await command([])).code).toBe(0);
  const { rows } = await run(
    'jobs',
    `insert into job (owner_id, type, status, size) values
    ('${OWNER}', 'echo', 'IN_PROGRESS', 1) returning id::int`,
  );
  expect(rows).toEqual([{ id: 1007 }]);
});

test('Products behind Jobs and Auth behind Jobs are told by job and owner', async () => {
  const stranger = randomUUID();
  await run(
    'jobs',
    `insert into job (id, owner_id, type, status, size, completed, ended_at) values
    (2000, '${stranger}', 'load-products', 'COMPLETED', 5, 5, now())`,
  );
  await effects(2000, 2);
  await run('jobs', `select setval('job_id_seq', 2000)`);
  expect(await compareDatabases(urls)).toEqual({
    jobNumbersUsed: undefined,
    unknownJobs: [],
    missingEffects: [{ jobId: 2000, missing: 3 }],
    unknownOwners: [{ ownerId: stranger, jobs: 1, uploads: 0 }],
  });
  const { code, stdout } = await command([]);
  expect(code).toBe(3);
  expect(stdout).toContain('load them again: jobs 2000');
  expect(stdout).toContain(stranger);
});

test('logins end on request, for nothing is known of those that were ended after the moment of Auth', async () => {
  const { done } = await reconcileDatabases(urls, { removeProducts: false, endSessions: true });
  expect(done.sessionsEnded).toBe(1);
  expect((await run('auth', 'select from session where ended_at is null')).rowCount).toBe(0);
});
