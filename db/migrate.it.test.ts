import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createTestDatabase } from '@jobber/compose/test-database';
import { expect, onTestFinished, test, vi } from 'vitest';
import { authDatabase } from './auth/index.ts';
import { openDatabase, pendingMigrations } from './connection.ts';
import { migrate, whileUnreachable } from './migrate-database.ts';

const AUTH_MIGRATIONS = ['0001-users-and-sessions', '0002-revocations'];

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function runMigrate(args: string[], environment: Record<string, string> = {}): Promise<Run> {
  const file = fileURLToPath(new URL('./migrate.ts', import.meta.url));
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], ...environment };
    const child = execFile(process.execPath, [file, ...args], { env }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

test('an empty database gets all migrations, and a second run finds nothing to do', async () => {
  const { url } = await createTestDatabase();
  const database = await openDatabase(authDatabase, { url });
  try {
    expect(await pendingMigrations(database)).toEqual(AUTH_MIGRATIONS);
    expect(await migrate(authDatabase, url)).toEqual(AUTH_MIGRATIONS);
    expect(await pendingMigrations(database)).toEqual([]);
    expect(await migrate(authDatabase, url)).toEqual([]);
  } finally {
    await database.close();
  }
});

test('of several at once each migration is applied by one', async () => {
  const { url } = await createTestDatabase();
  const applied = await Promise.all(Array.from({ length: 4 }, () => migrate(authDatabase, url)));
  expect(applied.flat()).toEqual(AUTH_MIGRATIONS);
});

test('the migrations make the tables and columns that the entities name', async () => {
  const { url } = await createTestDatabase();
  await migrate(authDatabase, url);
  const database = await openDatabase(authDatabase, { url });
  try {
    for (const { tableName, properties } of database.orm.getMetadata().getAll().values()) {
      const columns = Object.values(properties).flatMap(({ fieldNames }) => fieldNames);
      await expect(
        database.pool.query(
          `select ${columns.map((name) => `"${name}"`).join(', ')} from ${tableName} limit 0`,
        ),
      ).resolves.toBeDefined();
    }
  } finally {
    await database.close();
  }
});

test('the command says what it did', async () => {
  const { url } = await createTestDatabase();
  const first = await runMigrate(['auth'], { AUTH_DATABASE_URL: url });
  expect(first).toEqual({
    code: 0,
    stdout: 'auth: applied 0001-users-and-sessions, 0002-revocations\n',
    stderr: '',
  });
  const second = await runMigrate(['auth'], { AUTH_DATABASE_URL: url });
  expect(second).toEqual({ code: 0, stdout: 'auth: up to date\n', stderr: '' });
});

test('a database of a newer version is told, and stays as it is', async () => {
  const { url } = await createTestDatabase();
  await migrate(authDatabase, url);
  const database = await openDatabase(authDatabase, { url });
  try {
    await database.pool.query(`insert into migrations (name, executed_at) values ('9999-newer', now())`);
    expect(await runMigrate(['auth'], { AUTH_DATABASE_URL: url })).toEqual({
      code: 0,
      stdout: 'auth: up to date; it has 9999-newer of a newer version\n',
      stderr: '',
    });
    const { rows } = await database.pool.query('select name from migrations order by id');
    expect(rows.map(({ name }) => name)).toEqual([...AUTH_MIGRATIONS, '9999-newer']);
  } finally {
    await database.close();
  }
});

test('wrong usage, missing addresses and an unreachable server have codes and sentences of their own', async () => {
  const wrong = [
    [],
    ['orders'],
    ['auth', 'jobs'],
    ['__proto__'],
    ['auth', '--force'],
    ['auth', '--wait-seconds', '1e3'],
  ];
  for (const run of await Promise.all(wrong.map((args) => runMigrate(args)))) {
    expect(run).toMatchObject({ code: 2, stderr: expect.stringMatching(/^Usage: /) });
  }
  const missing = await runMigrate(['all'], { AUTH_DATABASE_URL: 'mysql://root:hunter2@host/auth' });
  expect(missing.code).toBe(78);
  expect(missing.stderr.match(/^\w+_DATABASE_URL must be a URL/gm)).toHaveLength(3);
  expect(missing.stderr).not.toContain('hunter2');

  const unreachable = await runMigrate(['auth'], {
    AUTH_DATABASE_URL: 'postgresql://auth:hunter2@127.0.0.1:1/auth',
  });
  expect(unreachable).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^auth: not migrated: .*ECONNREFUSED/),
  });
  expect(unreachable.stderr).not.toContain('hunter2');
});

test('with --await nothing is changed: it ends once somebody else has migrated, or says what is missing', async () => {
  const { url } = await createTestDatabase();
  const environment = { AUTH_DATABASE_URL: url };
  const late = await runMigrate(['auth', '--await'], environment);
  expect(late).toEqual({
    code: 1,
    stdout: '',
    stderr: `auth: not migrated: ${AUTH_MIGRATIONS.join(', ')} still missing after 0 s\n`,
  });
  const waiting = runMigrate(['auth', '--await', '--wait-seconds', '60'], environment);
  expect(await migrate(authDatabase, url)).toEqual(AUTH_MIGRATIONS);
  expect(await waiting).toEqual({ code: 0, stdout: 'auth: up to date\n', stderr: '' });
});

test('a server that is not there is waited for; what it refuses is told at once, and so is one that stays away', async () => {
  const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const comesUp = vi.fn().mockRejectedValueOnce(away).mockResolvedValueOnce('done');
  expect(await whileUnreachable(60_000, comesUp)).toBe('done');
  expect(comesUp).toHaveBeenCalledTimes(2);
  const refuses = vi.fn().mockRejectedValue(Object.assign(new Error('no password'), { code: '28P01' }));
  await expect(whileUnreachable(60_000, refuses)).rejects.toThrow('no password');
  expect(refuses).toHaveBeenCalledTimes(1);
  await expect(whileUnreachable(0, () => Promise.reject(away))).rejects.toBe(away);
});

test('a server that is slow to answer is waited for: nobody has been promised a migration in time', async () => {
  const { url } = await createTestDatabase();
  const { hostname, port } = new URL(url);
  const slow = createServer((socket) => {
    const onward = connect(Number(port), hostname);
    // Longer than a daemon waits, which has an answer to give.
    setTimeout(() => socket.pipe(onward).pipe(socket), 5_000);
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const)
      one.on('error', () => {}).on('close', () => other.destroy());
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void slow.close());
  await once(slow, 'listening');
  const slowUrl = new URL(url);
  slowUrl.host = `127.0.0.1:${(slow.address() as AddressInfo).port}`;
  expect(await migrate(authDatabase, slowUrl.href)).toEqual(AUTH_MIGRATIONS);
});

test('parameters of the address hold: a connection that must be encrypted is not made in the clear', async () => {
  const { url } = await createTestDatabase();
  const run = await runMigrate(['auth'], { AUTH_DATABASE_URL: `${url}?sslmode=verify-full` });
  expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining('does not support SSL') });
});
