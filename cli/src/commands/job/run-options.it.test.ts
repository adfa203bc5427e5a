import { expect, test } from 'vitest';
import { startLoggedIn } from '../../testing/logged-in.ts';
import { FIBONACCI, jobOf } from '../../testing/test-platform.ts';

const running = jobOf({ status: 'IN_PROGRESS', completed: 0, endedAt: null });

async function setUp() {
  const set = await startLoggedIn();
  const { platform, cli } = set;
  const run = (...args: string[]) => cli.run(['job', 'run', ...args], { env: { TZ: 'UTC' } });
  const inputs = () =>
    platform.calls
      .filter(({ operation }) => operation === 'Run')
      .map(({ variables }) => variables['input'] as Record<string, unknown>);
  return { ...set, run, inputs };
}

test('every option reaches the server in its units', async () => {
  await using set = await setUp();
  const timed = ['--delay', '10m', '--attempt-timeout', '90s', '--backoff', '500ms', '--max-attempts', '7'];
  const named = ['--priority', '-5', '--tag', 'nightly', '--tag', 'eu', '--unique-for', 'reports'];
  const run = await set.run('fibonacci', ...timed, ...named, '--idempotency-key', 'k1');
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  await set.run('fibonacci', '--run-at', '2030-01-01T06:00:00+01:00');
  expect(set.inputs()).toMatchObject([
    {
      delay: 600_000,
      timeout: 90_000,
      backoff: 500,
      maxAttempts: 7,
      priority: -5,
      tags: ['nightly', 'eu'],
      uniqueFor: 'reports',
      idempotencyKey: 'k1',
    },
    { runAt: '2030-01-01T05:00:00.000Z' },
  ]);
});

test.each([
  [['--priority', '1e9'], '--priority must be a whole number from -100 to 100: "1e9"'],
  [['--delay', '1y'], '"1y" has the unit y'],
  [['--run-at', '9999-01-01'], '--run-at can be at most 10 years ahead'],
  [['--tag', ''], '--tag must be 1 to 100 printable characters: "" is empty'],
  [Array.from({ length: 10_000 }, (_, at) => `--tag=${at}`), 'at most 20 times: here are 10,000 tags'],
  [['--idempotency-key', ''], '--idempotency-key must be 1 to 255 printable characters'],
  [['--timeout', '5m', '--no-wait'], 'what limits an attempt of the job is --attempt-timeout'],
])('bad options end with 2 before any request', async (flags, message) => {
  await using set = await setUp();
  const run = await set.run('fibonacci', ...flags);
  expect(run.exitCode).toBe(2);
  expect(run.stderr.trimEnd().split('\n')).toEqual([expect.stringContaining(`Error: `)]);
  expect(run.stderr).toContain(message);
  expect(set.platform.calls).toEqual([]);
});

test('a scheduled job is not waited for, and it is said when it begins', async () => {
  await using set = await setUp();
  const runAt = new Date(Date.now() + 7_200_500).toISOString();
  const scheduled = { ...running, status: 'SCHEDULED' as const, runAt, existing: false };
  set.platform.answers['Run'] = () => ({ executeJob: scheduled });
  const run = await set.run('fibonacci', '--delay', '2h');
  expect(run.stdout).toMatch(
    /^Job 12 is scheduled for \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(in 1 h 59 min|^Job 12 is scheduled for .* \(in 2 h\)/,
  );
  expect(run.stdout).toContain('Fibonacci, 1 item\nFollow it with: jobber job show 12 --wait');
  const waited = await set.run('fibonacci', '--delay', '2h', '--wait');
  expect(waited.stdout).toContain('F(10) = 55');
});

test('a time in the past is told, and the job begins at once', async () => {
  await using set = await setUp();
  const run = await set.run('fibonacci', '--run-at', '2020-01-01');
  expect(run.stderr).toBe('Warning: --run-at 2020-01-01 00:00:00 is in the past: the job begins at once\n');
  expect(run.stdout).toContain('Job 12 accepted');
});

test('--timeout is a wish to wait, also off a terminal', async () => {
  await using set = await setUp();
  expect((await set.run('fibonacci', '--timeout', '1m')).stdout).toContain('F(10) = 55');
});

test('a job that existed is told, and why', async () => {
  await using set = await setUp();
  const existing = { ...running, uniqueFor: 'nightly', existing: true };
  set.platform.answers['Run'] = () => ({ executeJob: existing });
  const unique = ['fibonacci', '--unique-for', 'nightly'];
  expect((await set.run(...unique)).stdout).toBe(
    'Job 12 is unfinished already (unique for nightly): Fibonacci, 1 item\nFollow it with: jobber job show 12 --wait\n',
  );
  const followed = await set.run(...unique, '--wait');
  expect(followed.stderr).toBe('Job 12 is unfinished already (unique for nightly); following it\n');
  // The input of that job is not known here.
  expect(followed.stdout).toContain('Fibonacci number = 55');
  const json = await set.run(...unique, '--json');
  expect(json.json()).toMatchObject({ id: 12, existing: true });
  set.platform.answers['Run'] = () => ({ executeJob: { ...jobOf(), existing: true } });
  expect((await set.run('fibonacci', '--idempotency-key', 'k')).stdout).toBe(
    'Job 12 has this idempotency key already and is COMPLETED: Fibonacci, 1 item\nSee it with: jobber job show 12\n',
  );
});

test('a lost answer, asked for again, is no job that existed', async () => {
  await using set = await setUp();
  set.platform.answers['Run'] = () => ({ executeJob: { ...running, existing: true } });
  expect((await set.run('fibonacci')).stdout).toContain('Job 12 accepted');
});

const colliding = {
  ...FIBONACCI,
  name: 'Render',
  slug: 'render',
  inputSchema: {
    type: 'object',
    properties: { depth: { type: 'integer' }, priority: { type: 'string' }, wait: { type: 'boolean' } },
    required: ['priority'],
  },
  defaultItem: null,
};

test('a flag of job run wins over a field of the same name, which is given with --input', async () => {
  await using set = await setUp();
  set.platform.answers['JobTypes'] = () => ({ jobsMetadata: [colliding] });
  const run = await set.run('render', '--depth', '3');
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toBe(
    'Error: Render needs the field priority, and --priority is a flag of job run itself: give the whole item with --input\n',
  );
  const given = await set.run('render', '--input', '{"depth":3,"priority":"high"}', '--priority', '5');
  expect(given).toMatchObject({ exitCode: 0, stderr: '' });
  expect(set.inputs()).toMatchObject([{ data: { depth: 3, priority: 'high' }, priority: 5 }]);
  const optional = { ...colliding, inputSchema: { ...colliding.inputSchema, required: [] } };
  set.platform.answers['JobTypes'] = () => ({ jobsMetadata: [optional] });
  expect((await set.run('render', '--depth', '3', '--priority', '5')).stderr).toBe(
    'Warning: --priority is a flag of job run itself; the field priority of Render is given with --input\n',
  );
  const help = await set.run('render', '--help');
  expect(help.stdout).toContain('--depth <number>');
  expect(help.stdout).toMatch(/with --input only: priority,\s+wait\./);
});
