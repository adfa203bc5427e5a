import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { findFreePort } from '../free-port.ts';
import { findBinaries } from './find-binaries.ts';
import { type PostgresServer, type StartPostgresOptions, startPostgres } from './index.ts';
import { findServerProcesses } from './stop-leftovers.ts';

const root = process.geteuid?.() === 0;
const linux = process.platform === 'linux';
const NOBODY = 65_534;
const PATIENCE = { timeout: 60_000 };
let folder: string;
const servers: PostgresServer[] = [];
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobber-postgres-test-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const server of servers.splice(0)) await server.stop({ mode: 'immediate' });
  // What a killed child left.
  for (const name of readdirSync(folder, { withFileTypes: true })) {
    if (!name.isDirectory()) continue;
    for (const pid of findServerProcesses(join(folder, name.name))) process.kill(pid, 'SIGKILL');
  }
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: Partial<StartPostgresOptions> = {}): Promise<PostgresServer> {
  const server = await startPostgres({ dataDir: join(folder, 'data'), ...options });
  servers.push(server);
  return server;
}

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return Object.values((await client.query(sql)).rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

interface InChild {
  child: ChildProcess;
  answer: { port: number; pid: number; adminUrl: string; failed?: string };
}

async function startInChild(
  options: Partial<StartPostgresOptions> = {},
  uid?: number,
  wrapper: readonly string[] = [],
): Promise<InChild> {
  const fixture = fileURLToPath(new URL('./run-postgres.fixture.ts', import.meta.url));
  const json = JSON.stringify({ dataDir: join(folder, 'data'), ...options });
  const [program = '', ...args] = [...wrapper, process.execPath, fixture, json];
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: '/',
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  children.push(child);
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, answer: JSON.parse(line) };
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

test('the first start makes a durable UTF-8 cluster that only a password opens, with nothing left beside it', async () => {
  const server = await start();
  expect(await ask(server.adminUrl, 'SHOW fsync')).toBe('on');
  expect(await ask(server.adminUrl, 'SHOW synchronous_commit')).toBe('on');
  expect(await ask(server.adminUrl, 'SHOW data_checksums')).toBe('on');
  expect(await ask(server.adminUrl, 'SHOW server_encoding')).toBe('UTF8');
  expect(await ask(server.adminUrl, 'SHOW listen_addresses')).toBe('127.0.0.1');
  expect(await ask(server.adminUrl, "SELECT upper('straße é')")).toBe('STRASSE É'.replace('SS', 'ß'));
  const open = server.adminUrl.replace(/:[^:@]+@/, ':wrong@');
  await expect(ask(open, 'SELECT 1')).rejects.toThrow('password authentication failed');
  expect(readdirSync(folder).sort()).toEqual(['data', 'data.log', 'data.owner', 'data.password']);
  expect(statSync(join(folder, 'data.password')).mode & 0o777).toBe(0o600);
  const password = readFileSync(join(folder, 'data.password'), 'utf8');
  expect(readFileSync(server.logFile, 'utf8')).not.toContain(password);
});

test('a later start finds what was written, also at another port', async () => {
  const first = await start();
  await ask(first.adminUrl, 'CREATE TABLE kept AS SELECT 42 AS n');
  await first.stop();
  const second = await start({ port: await findFreePort() });
  expect(second.port).not.toBe(first.port);
  expect(await ask(second.adminUrl, 'SELECT n FROM kept')).toBe(42);
});

test('stop may be called twice, and onExit tells that it was asked for', async () => {
  const server = await start({ mode: 'throwaway' });
  const exited = vi.fn();
  server.onExit(exited);
  await Promise.all([server.stop(), server.stop()]);
  await server.stop();
  expect(exited).toHaveBeenCalledExactlyOnceWith({ code: 0, signal: null, requested: true });
  expect(readdirSync(folder)).not.toContain('data.owner');
});

test('the log reaches the callback line by line', async () => {
  const lines: string[] = [];
  const server = await start({ mode: 'throwaway', log: (line) => lines.push(line) });
  await expect(ask(server.adminUrl, 'SELECT missing_column')).rejects.toThrow();
  await vi.waitFor(() => expect(lines.join('\n')).toContain('missing_column'), PATIENCE);
});

test('a server whose parent was killed is stopped by the next start, and nothing committed is lost', async () => {
  const { child, answer } = await startInChild();
  await ask(answer.adminUrl, 'CREATE TABLE kept AS SELECT 7 AS n');
  await kill(child);
  expect(await ask(answer.adminUrl, 'SELECT n FROM kept')).toBe(7);

  const server = await start({ port: answer.port });
  expect(server.pid).not.toBe(answer.pid);
  expect(await ask(server.adminUrl, 'SELECT n FROM kept')).toBe(7);
});

test('a throwaway server ends with its killed parent', async () => {
  const { child } = await startInChild({ mode: 'throwaway' });
  await kill(child);
  await vi.waitFor(() => expect(findServerProcesses(join(folder, 'data'))).toEqual([]), PATIENCE);
});

test('a second start in a folder that is in use says so and disturbs nothing', async () => {
  const { child, answer } = await startInChild();
  await expect(start()).rejects.toThrow(`is in use by process ${child.pid}`);
  expect(await ask(answer.adminUrl, 'SELECT 1')).toBe(1);
  const own = await start({ dataDir: join(folder, 'other'), mode: 'throwaway' });
  await expect(start({ dataDir: join(folder, 'other') })).rejects.toThrow('is in use by this process');
  expect(await ask(own.adminUrl, 'SELECT 1')).toBe(1);
});

test('the kill -9 of the server is reported, and a start ends its busy backends and recovers', async () => {
  const server = await start();
  await ask(server.adminUrl, 'CREATE TABLE kept AS SELECT 3 AS n');
  // A backend in the middle of its work does not notice that its postmaster is gone.
  const busy = ask(server.adminUrl, 'SELECT count(*) FROM generate_series(1, 100000000000)');
  busy.catch(() => {});
  const working =
    "SELECT count(*)::int FROM pg_stat_activity WHERE query LIKE 'SELECT count(*) FROM gen%' AND state = 'active'";
  await vi.waitFor(async () => expect(await ask(server.adminUrl, working)).toBe(1), PATIENCE);
  const ended = new Promise((resolve) => server.onExit(resolve));
  process.kill(server.pid, 'SIGKILL');
  expect(await ended).toEqual({ code: null, signal: 'SIGKILL', requested: false });
  expect(findServerProcesses(join(folder, 'data')).length).toBeGreaterThan(0);

  const again = await start();
  expect(await ask(again.adminUrl, 'SELECT n FROM kept')).toBe(3);
  await expect(busy).rejects.toThrow();
});

test('a stale pid file whose number belongs to a stranger does not block the start', async () => {
  const server = await start({ mode: 'throwaway' });
  const pidFile = join(folder, 'data', 'postmaster.pid');
  const text = readFileSync(pidFile, 'utf8');
  await server.stop();
  // Of the server's own user: PostgreSQL itself takes such a process for a running server.
  const { uid, gid } = statSync(join(folder, 'data'));
  const stranger = spawn('sleep', ['600'], { uid, gid, cwd: '/' });
  children.push(stranger);
  writeFileSync(pidFile, text.replace(/^\d+/, String(stranger.pid)), { mode: 0o600 });
  chownSync(pidFile, uid, gid);
  writeFileSync(join(folder, 'data.owner'), `${stranger.pid} 1`);
  await start({ mode: 'throwaway' });
  expect(stranger.exitCode).toBeNull();
});

test('a parent killed while the cluster is being made leaves nothing that troubles the next start', async () => {
  const fixture = fileURLToPath(new URL('./run-postgres.fixture.ts', import.meta.url));
  const child = spawn(process.execPath, [fixture, JSON.stringify({ dataDir: join(folder, 'data') })]);
  children.push(child);
  await vi.waitFor(() => expect(readdirSync(folder).join()).toContain('data.new-'), {
    ...PATIENCE,
    interval: 5,
  });
  await kill(child);
  expect(readdirSync(folder)).not.toContain('data');
  await start();
  expect(readdirSync(folder).sort()).toEqual(['data', 'data.log', 'data.owner', 'data.password']);
});

test('a taken port is named, and the folder can be started at another', async () => {
  const port = await findFreePort();
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  await expect(start({ port })).rejects.toThrow(`Port ${port} is taken`);
  other.close();
  await start({ port });
});

test('two clusters run side by side', async () => {
  const [one, two] = await Promise.all([
    start({ dataDir: join(folder, 'one') }),
    start({ dataDir: join(folder, 'two') }),
  ]);
  await ask(one.adminUrl, 'CREATE TABLE only_here ()');
  await expect(ask(two.adminUrl, 'SELECT FROM only_here')).rejects.toThrow('does not exist');
});

test('a folder that holds something else is refused untouched', async () => {
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'data', 'letter.txt'), 'dear');
  await expect(start()).rejects.toThrow('neither empty nor a PostgreSQL data folder');
  expect(readdirSync(join(folder, 'data'))).toEqual(['letter.txt']);
});

test('a data folder of another PostgreSQL version is refused', async () => {
  mkdirSync(join(folder, 'data'), { mode: 0o700 });
  writeFileSync(join(folder, 'data', 'PG_VERSION'), '17\n');
  await expect(start()).rejects.toThrow('was written by PostgreSQL 17');
});

test('a platform without binaries is named with what to do', () => {
  expect(() => findBinaries('plan9-mips')).toThrow('PostgreSQL for plan9-mips is not installed');
});

test('programs whose libraries lack their links are copied once and run, and the package is not written to', async () => {
  const native = join(folder, 'package');
  cpSync(findBinaries().native, native, { recursive: true, verbatimSymlinks: true });
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(join(native, 'lib'), { withFileTypes: true })) {
    if (entry.isSymbolicLink()) rmSync(join(native, 'lib', entry.name));
  }
  const before = readdirSync(native, { recursive: true }).sort();
  const cacheFolders = [join(folder, 'cache')];
  const binaries = { native, key: 'postgres-unlinked' };
  const [one, two] = await Promise.all([
    start({ dataDir: join(folder, 'one'), mode: 'throwaway', cacheFolders, binaries }),
    start({ dataDir: join(folder, 'two'), mode: 'throwaway', cacheFolders, binaries }),
  ]);
  expect(await ask(one.adminUrl, 'SELECT 1')).toBe(1);
  expect(await ask(two.adminUrl, 'SELECT 1')).toBe(1);
  expect(readdirSync(join(folder, 'cache'))).toEqual(['postgres-unlinked']);
  expect(readdirSync(native, { recursive: true }).sort()).toEqual(before);
});

test.runIf(root)('as root the server runs as another user, who owns the data', async () => {
  for (const [name, runAs] of [
    ['nobody', ['nobody']],
    ['unknown', ['no-such-user', 'daemon']],
  ] as const) {
    const dataDir = join(folder, name);
    const server = await start({ dataDir, runAs, mode: 'throwaway' });
    const owner = statSync(dataDir).uid;
    expect(owner).not.toBe(0);
    expect(statSync(`/proc/${server.pid}`).uid).toBe(owner);
    // No group of root's is kept.
    expect(readFileSync(`/proc/${server.pid}/status`, 'utf8')).toMatch(/^Groups:\s*$/m);
    await server.stop();
    // Later starts keep to the owner, whatever other user there is by now.
    await start({ dataDir, mode: 'throwaway' });
    expect(statSync(dataDir).uid).toBe(owner);
  }
});

test.runIf(root && linux)('as root both the data and the programs may lie under closed folders', async () => {
  const closed = join(folder, 'closed');
  mkdirSync(closed, { mode: 0o700 });
  cpSync(findBinaries().native, join(closed, 'native'), { recursive: true, verbatimSymlinks: true });
  chmodSync(folder, 0o755);
  const options = {
    dataDir: join(closed, 'data'),
    binaries: { native: join(closed, 'native'), key: 'postgres-closed' },
    cacheFolders: [join(closed, 'unreachable-cache'), join(folder, 'cache')],
    runAs: ['nobody'],
  };
  const server = await start(options);
  await ask(server.adminUrl, 'CREATE TABLE kept AS SELECT 1 AS n');
  await server.stop();
  const again = await start(options);
  expect(await ask(again.adminUrl, 'SELECT n FROM kept')).toBe(1);
  expect(readdirSync(join(folder, 'cache'))).toEqual(['postgres-closed']);
});

test.runIf(root && linux)(
  'root in a container, who may not look into the server, finds and stops a left-over',
  async () => {
    const left = await startInChild();
    await kill(left.child);
    const { answer } = await startInChild({}, undefined, ['setpriv', '--bounding-set=-sys_ptrace']);
    expect(answer.failed).toBeUndefined();
    expect(answer.pid).not.toBe(left.answer.pid);
  },
);

test.runIf(root && linux)('root that may not switch users is told what to do', async () => {
  const { answer } = await startInChild({}, undefined, ['setpriv', '--bounding-set=-setuid,-setgid']);
  expect(answer.failed).toMatch(
    /refuses to run as root, and this process may not switch .* run jobber as an ordinary user/,
  );
});

test.runIf(root && linux)(
  'a user without an entry in /etc/passwd starts it, or is told that one is needed',
  async () => {
    chmodSync(folder, 0o777);
    const { answer } = await startInChild({}, 54_321);
    // It depends on whether this machine allows ordinary users namespaces.
    expect(answer.failed ?? 'started').toMatch(/^(started|User id 54321 has no entry in \/etc\/passwd)/);
    if (!answer.failed) expect(await ask(answer.adminUrl, 'SELECT 1')).toBe(1);
  },
);

test.runIf(root && linux)(
  'an ordinary user starts it with nothing of root, and is told when a folder is not theirs',
  async () => {
    const home = join(folder, 'home');
    mkdirSync(home);
    chmodSync(folder, 0o755);
    chownSync(home, NOBODY, NOBODY);
    const { child, answer } = await startInChild({ dataDir: join(home, 'data') }, NOBODY);
    expect(answer.failed).toBeUndefined();
    expect(await ask(answer.adminUrl, 'SELECT 1')).toBe(1);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);

    const refused = await startInChild({ dataDir: join(folder, 'not-theirs', 'data') }, NOBODY);
    expect(refused.answer.failed).toBe(`Cannot write to ${join(folder, 'not-theirs')}: permission denied.`);
  },
);
