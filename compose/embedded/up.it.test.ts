import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { isPortFree } from './free-port.ts';
import { cleanUp, processesOf, startUp, type TestUp } from './testing/test-up.ts';

const PATIENCE = { timeout: 30_000, interval: 50 };
const ALL = ['auth', 'executor', 'jobs', 'postgres', 'products'];
const ups: TestUp[] = [];
let templates: string;
let folder: string;
let dataDir: string;
let jobberHome: string;
let portBase: number;

beforeAll(async () => {
  templates = mkdtempSync(join(tmpdir(), 'jobber-up-test-'));
  const first = startUp({
    dataDir: join(templates, 'data'),
    jobberHome: join(templates, 'home'),
    portBase: await freeBase(),
  });
  await first.shows('is ready (');
  first.child.kill('SIGINT');
  expect(await first.ended).toBe(0);
});

afterAll(() => cleanUp(templates, []));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'jobber-up-test-'));
  dataDir = join(folder, 'data');
  jobberHome = join(folder, 'home');
  portBase = await freeBase();
});

afterEach(() => cleanUp(folder, ups.splice(0)));

/** Eight ports in a row, below those that other tests are given: nobody takes one before it is opened. */
async function freeBase(): Promise<number> {
  for (;;) {
    const base = randomInt(1_000, 1_990) * 10;
    const free = await Promise.all([...Array(8).keys()].map((offset) => isPortFree(base + offset)));
    if (free.every(Boolean)) return base;
  }
}

/** A data folder as an earlier `up` left it: PostgreSQL need not be made anew. */
function useEarlierData(): void {
  // With owners and modes, which Node's cpSync does not keep.
  execFileSync('cp', ['-a', join(templates, 'data'), dataDir]);
}

function up(
  options: {
    jsonLogs?: boolean;
    profile?: string;
    pulsar?: { serviceUrl: string };
    environment?: NodeJS.ProcessEnv;
  } = {},
): TestUp {
  const started = startUp({ dataDir, jobberHome, portBase, ...options });
  ups.push(started);
  return started;
}

async function upAndReady(options: Parameters<typeof up>[0] = {}): Promise<TestUp> {
  useEarlierData();
  const started = up(options);
  await started.shows('Executor');
  return started;
}

function running(): string[] {
  return Object.keys(processesOf(dataDir)).sort();
}

test('the first start makes everything, closed to others, and says where it answers and how to log in', async () => {
  const first = up();
  await first.shows('is ready (');
  expect(running()).toEqual(ALL);
  for (const private_ of [dataDir, join(dataDir, 'logs'), join(dataDir, 'uploads'), jobberHome]) {
    expect(statSync(private_).mode & 0o777).toBe(0o700);
  }
  const secrets = JSON.parse(readFileSync(join(dataDir, 'secrets.json'), 'utf8')) as Record<string, string>;
  expect(statSync(join(dataDir, 'secrets.json')).mode & 0o777).toBe(0o600);
  expect(new Set(Object.values(secrets)).size).toBe(5);
  const profiles: unknown = JSON.parse(readFileSync(join(jobberHome, 'profiles.json'), 'utf8'));
  expect(profiles).toEqual({
    current: 'local',
    profiles: {
      local: {
        auth: `http://127.0.0.1:${portBase}`,
        jobs: `http://127.0.0.1:${portBase + 1}`,
        products: `http://127.0.0.1:${portBase + 3}`,
        setupToken: secrets['setupToken'],
      },
    },
  });
  expect(first.stdout()).toContain(`http://127.0.0.1:${portBase}/auth/graphql`);
  expect(first.stdout()).toContain(dataDir);
  expect(first.stdout()).toContain(secrets['setupToken']);
  expect(first.stdout()).toContain('Ctrl-C');
  first.child.kill('SIGINT');
  expect(await first.ended).toBe(0);
});

test('Ctrl-C stops the executor first and Auth last, and leaves no process', async () => {
  const one = await upAndReady({ environment: { FAKE_DRAIN_MS: '50' } });
  one.child.kill('SIGINT');
  expect(await one.ended).toBe(0);
  const stopped = [...one.stdout().matchAll(/(\w+) +info +stopped/g)].map(([, name]) => name);
  expect(stopped).toEqual(['executor', 'jobs', 'products', 'auth']);
  expect(running()).toEqual([]);
});

test('a second Ctrl-C ends at once what does not stop', async () => {
  const one = await upAndReady({ environment: { FAKE_DEAF_EXECUTOR: '1' } });
  one.child.kill('SIGINT');
  await one.shows('stopping because of SIGINT');
  // What follows within half a second is the same key press. One more only: Node lets go of signals just before it ends.
  const pressed = setTimeout(() => one.child.kill('SIGINT'), 2_000);
  expect(await one.ended).toBe(130);
  clearTimeout(pressed);
  await vi.waitFor(() => expect(running()).toEqual([]), PATIENCE);
});

test('SIGTERM while it starts ends it with nothing left running', async () => {
  const one = up();
  await vi.waitFor(() => expect(existsSync(join(dataDir, 'secrets.json'))).toBe(true), PATIENCE);
  one.child.kill('SIGTERM');
  expect(await one.ended).toBe(0);
  expect(running()).toEqual([]);
});

test('taken ports are all named, with what for and what to do, and nothing is started', async () => {
  const others = [portBase + 1, portBase + 6].map((port) => createServer().listen(port, '127.0.0.1'));
  await Promise.all(others.map((other) => once(other, 'listening')));
  const one = up();
  expect(await one.ended).toBe(6);
  for (const other of others) other.close();
  expect(one.stderr()).toContain(
    `Ports ${portBase + 1} (Jobs' HTTP), ${portBase + 6} (Jobs' gRPC) are taken`,
  );
  expect(one.stderr()).toMatch(/--port-base \d+/);
  expect(one.stdout()).toBe('');
  expect(existsSync(join(dataDir, 'postgres'))).toBe(false);
});

test('a folder with other files is refused untouched', async () => {
  mkdirSync(dataDir, { mode: 0o755 });
  writeFileSync(join(dataDir, 'letter.txt'), 'dear');
  const one = up();
  expect(await one.ended).toBe(2);
  expect(one.stderr()).toContain(`${dataDir} holds other files (letter.txt)`);
  expect(readdirSync(dataDir)).toEqual(['letter.txt']);
  expect(statSync(dataDir).mode & 0o777).toBe(0o755);
});

test('a second up on the same folder names the first one and leaves it alone', async () => {
  const one = await upAndReady();
  const before = processesOf(dataDir);
  const two = startUp({ dataDir, jobberHome, portBase: await freeBase() });
  ups.push(two);
  expect(await two.ended).toBe(6);
  expect(two.stderr()).toContain(`already runs in ${dataDir} (process ${one.child.pid})`);
  expect(processesOf(dataDir)).toEqual(before);
});

test('kill -9 of any daemon: it is started again, and the log says so', async () => {
  const one = await upAndReady();
  const before = processesOf(dataDir);
  for (const [name, title] of [
    ['auth', 'Auth'],
    ['jobs', 'Jobs'],
    ['executor', 'Executor'],
    ['products', 'Products'],
  ] as const) {
    process.kill(before[name]!, 'SIGKILL');
    await one.shows(`${title} was ended by SIGKILL; it is started again inMs=250`);
    await one.shows(`${title} is ready again`);
  }
  const after = processesOf(dataDir);
  expect(Object.keys(after).sort()).toEqual(ALL);
  expect(after['auth']).not.toBe(before['auth']);
  expect(after['postgres']).toBe(before['postgres']);
});

test('kill -9 of PostgreSQL: it is started again at the same port, with what was committed', async () => {
  const one = await upAndReady();
  await askAuthDatabase('create table kept as select 42 as answer');
  process.kill(processesOf(dataDir)['postgres']!, 'SIGKILL');
  await one.shows('PostgreSQL was ended by SIGKILL; it is started again');
  await one.shows('PostgreSQL runs again');
  expect(await askAuthDatabase('select answer from kept')).toEqual([{ answer: 42 }]);
});

test('kill -9 of up: the daemons finish what they are at, and the next up waits for them and takes over', async () => {
  const drained = join(folder, 'drained');
  const one = await upAndReady({ environment: { FAKE_DRAIN_UNTIL: drained } });
  await askAuthDatabase('create table kept as select 42 as answer');
  const before = processesOf(dataDir);
  one.child.kill('SIGKILL');
  await one.ended;
  const two = up();
  await two.shows('waiting for daemons of an earlier jobber up to finish');
  writeFileSync(drained, '');
  await two.shows('is ready (');
  expect(readFileSync(join(dataDir, 'logs', 'executor.log'), 'utf8')).toContain('supervisor is gone');
  const after = processesOf(dataDir);
  expect(Object.keys(after).sort()).toEqual(ALL);
  for (const name of ALL) expect(after[name]).not.toBe(before[name]);
  expect(await askAuthDatabase('select answer from kept')).toEqual([{ answer: 42 }]);
});

test('a daemon that refuses its configuration ends the start with its own sentence, not a loop', async () => {
  useEarlierData();
  const one = up({ environment: { FAKE_EXIT_JOBS: '78' } });
  expect(await one.ended).toBe(6);
  expect(one.stderr()).toContain(
    'Error: Jobs refuses its configuration: JOBS_SETTING must be a whole number; got abc.',
  );
  expect(one.stderr()).toContain(join(dataDir, 'logs', 'jobs.log'));
  expect(running()).toEqual([]);
});

test('a daemon that never comes up is tried some times, then the start ends with its last error', async () => {
  useEarlierData();
  const one = up({ environment: { FAKE_EXIT_PRODUCTS: '1' } });
  expect(await one.ended).toBe(6);
  expect(one.stderr()).toContain(
    'Error: Products does not start: it ended with exit code 1, saying: PRODUCTS_SETTING',
  );
  expect(running()).toEqual([]);
});

test('with --json-logs standard output holds nothing but JSON, and no secret', async () => {
  useEarlierData();
  const one = up({ jsonLogs: true });
  await one.shows('"msg":"started"');
  await vi.waitFor(() => expect(one.stderr()).toContain('is ready ('), PATIENCE);
  process.kill(processesOf(dataDir)['auth']!, 'SIGKILL');
  await one.shows('Auth is ready again');
  one.child.kill('SIGINT');
  expect(await one.ended).toBe(0);
  const records = one
    .stdout()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(new Set(records.map(({ daemon }) => daemon))).toEqual(
    new Set(['auth', 'jobs', 'executor', 'products', 'up']),
  );
  const secrets = Object.values(
    JSON.parse(readFileSync(join(dataDir, 'secrets.json'), 'utf8')) as Record<string, string>,
  );
  for (const secret of secrets) expect(one.stdout()).not.toContain(secret);
});

test('the setup token is neither shown nor given out once there is an administrator', async () => {
  const one = await upAndReady();
  expect(one.stdout()).toContain('npx jobber register');
  await askAuthDatabase(`insert into user_account (roles) values ('{admin}')`);
  one.child.kill('SIGINT');
  await one.ended;
  const two = up();
  await two.shows('Executor');
  expect(two.stdout()).not.toContain('npx jobber register');
  expect(readFileSync(join(jobberHome, 'profiles.json'), 'utf8')).not.toContain('setupToken');
});

test('other profiles stay as they are, and so does the current one', async () => {
  const other = {
    auth: 'https://jobber.example.com',
    jobs: 'https://jobber.example.com',
    products: 'https://jobber.example.com',
  };
  cpSync(join(templates, 'home'), jobberHome, { recursive: true });
  writeFileSync(
    join(jobberHome, 'profiles.json'),
    JSON.stringify({ current: 'prod', profiles: { prod: other } }),
  );
  const one = await upAndReady();
  const profiles = JSON.parse(readFileSync(join(jobberHome, 'profiles.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  expect(profiles).toMatchObject({
    current: 'prod',
    profiles: { prod: other, local: { auth: `http://127.0.0.1:${portBase}` } },
  });
  expect(one.stdout()).toContain('--profile local');
});

test('with a name of its own it is another profile, and what was remembered about this machine stays', async () => {
  const first = { auth: 'http://127.0.0.1:1', jobs: 'http://127.0.0.1:2', products: 'http://127.0.0.1:3' };
  mkdirSync(jobberHome, { recursive: true });
  const file = join(jobberHome, 'profiles.json');
  writeFileSync(file, JSON.stringify({ current: 'local', profiles: { local: first } }));
  const one = await upAndReady({ profile: 'second' });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
    current: 'local',
    profiles: { local: first, second: { auth: `http://127.0.0.1:${portBase}` } },
  });
  expect(one.stdout()).toContain('--profile second');
});

test('the profile of a platform elsewhere is not taken, and nothing is made', async () => {
  const prod = { auth: 'https://jobber.example.com', jobs: 'https://j', products: 'https://p' };
  mkdirSync(jobberHome, { recursive: true });
  const file = join(jobberHome, 'profiles.json');
  const text = JSON.stringify({ current: 'prod', profiles: { prod } });
  writeFileSync(file, text);
  const one = up({ profile: 'prod' });
  expect(await one.ended).toBe(2);
  expect(one.stderr()).toBe(
    'Error: The profile prod is that of https://jobber.example.com: name another one with --profile.\n',
  );
  expect(existsSync(dataDir)).toBe(false);
  expect(readFileSync(file, 'utf8')).toBe(text);
});

test("a broker's URL that is none is refused before anything is made", async () => {
  const one = up({ pulsar: { serviceUrl: 'http://user:secret@host' } });
  expect(await one.ended).toBe(2);
  expect(one.stderr()).toMatch(/^Error: The broker's URL must be a URL such as pulsar:\/\/.*\n$/);
  expect(one.stderr()).not.toContain('secret');
  expect(existsSync(dataDir)).toBe(false);
});

async function askAuthDatabase(sql: string): Promise<unknown[]> {
  const secrets = JSON.parse(readFileSync(join(dataDir, 'secrets.json'), 'utf8')) as { authDatabase: string };
  const client = new pg.Client({
    connectionString: `postgres://auth:${secrets.authDatabase}@127.0.0.1:${portBase + 7}/auth`,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
