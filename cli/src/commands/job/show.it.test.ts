import { expect, test } from 'vitest';
import type { JobEvent } from '../../api/job-history.ts';
import { startLoggedIn } from '../../testing/logged-in.ts';
import { jobOf, type TestPlatform } from '../../testing/test-platform.ts';

function eventOf(fields: Partial<JobEvent>): JobEvent {
  const nothing = { task: 0, attempt: 1, executor: 'e1', reason: null, message: null, detail: null };
  return { id: 1, at: '2026-03-01T10:00:00.000Z', event: 'RETRIED', round: 1, ...nothing, ...fields };
}

const failedReport = {
  ...jobOf({
    status: 'FAILED',
    size: 4,
    completed: 1,
    failed: 3,
    runAt: '2026-03-01T10:00:00.000Z',
    priority: 5,
    timeout: 90_000,
    maxAttempts: 3,
    uniqueFor: 'nightly',
    tags: ['eu', '\u001b[31mred'],
    round: 2,
  }),
  result: null,
  counters: {},
  errors: [{ index: 2, reason: 'Timeout', message: 'too slow' }],
  items: [],
  running: [],
  // As Jobs answers it: the latest first.
  history: [
    eventOf({ id: 2, event: 'REDRIVEN', round: 2, attempt: null, executor: null, detail: { by: 'u1' } }),
    eventOf({ reason: 'Timeout', message: 'Timeout after 30 s\u001b[2J' }),
  ],
  historySize: 2,
};

async function setUp() {
  const set = await startLoggedIn();
  const { platform, cli } = set;
  platform.answers['Job'] = () => ({ job: failedReport });
  platform.answers['JobReport'] = () => ({ job: failedReport });
  platform.answers['DeadLetterIds'] = () => ({ deadLetters: [{ id: '12/0' }, { id: '12/3' }] });
  const run = (...args: string[]) => cli.run(['job', ...args], { env: { TZ: 'UTC' } });
  return { ...set, run };
}

test('a job is shown with its options, its history and its dead letters', async () => {
  await using set = await setUp();
  const { stdout } = await set.run('show', '12');
  expect(stdout.split('\n\n').map((part) => part.trimEnd())).toEqual([
    'Job 12  Fibonacci  FAILED in 1.5 s  (1 of 4 items done, 3 failed)',
    [
      'was scheduled for  2026-03-01 10:00:00',
      'round              2',
      'tags               eu, red',
      'priority           5',
      'attempts           at most 3, 1 min 30 s each',
      'unique for         nightly',
    ].join('\n'),
    'INDEX  REASON   MESSAGE\n    2  Timeout  too slow\n… and 2 more failed items',
    [
      'AT                   EVENT     ROUND  TASK  ATTEMPT  WHY',
      '2026-03-01 10:00:00  RETRIED       1     0        1  Timeout after 30 s',
      '2026-03-01 10:00:00  REDRIVEN      2     0           by user u1',
    ].join('\n'),
    '2 tasks are dead letters: jobber dead-letter list --job 12\nRun the failed items again with: jobber job retry 12',
  ]);
  const asked = set.platform.calls.find(({ operation }) => operation === 'DeadLetterIds');
  expect(asked?.variables).toEqual({ filter: { job: [12], owner: 'u1' } });
});

test('an ordinary job is shown without any of it', async () => {
  await using set = await setUp();
  const plain = {
    ...jobOf(),
    result: null,
    counters: {},
    errors: [],
    running: [],
    history: [],
    historySize: 0,
  };
  set.platform.answers['JobReport'] = () => ({ job: plain });
  expect((await set.run('show', '12')).stdout).toBe(
    'Job 12  Fibonacci  COMPLETED in 1.5 s  (1 of 1 item done)\n',
  );
});

test('of a job in progress the running tasks are shown, with what their handlers say', async () => {
  await using set = await setUp();
  const progress = { done: 3, total: 12, note: 'page 3\u001b[2J', at: '2026-03-01T10:00:01.000Z' };
  const silent = { task: 1, attempt: 1, items: 500, executor: 'e2', progress: null };
  const running = [
    { ...silent, task: 0, attempt: 2, executor: 'e1', progress },
    silent,
    { ...silent, task: 4, progress: { ...progress, done: 0.455, total: 1, note: null } },
    { ...silent, task: 5, progress: { ...progress, done: 1_234, total: null } },
  ];
  const job = jobOf({ status: 'IN_PROGRESS', size: 3_000, completed: 1_000, endedAt: null });
  const report = { ...job, result: null, counters: {}, errors: [], running, history: [], historySize: 0 };
  set.platform.answers['JobReport'] = () => ({ job: report });
  const { stdout } = await set.run('show', '12');
  expect(
    stdout
      .split('\n\n')[1]
      ?.split('\n')
      .map((line) => line.trimEnd()),
  ).toEqual([
    'TASK  ATTEMPT  ITEMS  EXECUTOR  PROGRESS        NOTE',
    '   0        2    500  e1        25 % (3 of 12)  page 3',
    '   1        1    500  e2',
    '   4        1    500  e2        45 %',
    '   5        1    500  e2        1,234           page 3',
    '',
  ]);
  expect(((await set.run('show', '12', '--json')).json() as typeof report).running).toEqual(running);

  const many = Array.from({ length: 100 }, (_, task) => ({ ...silent, task }));
  set.platform.answers['JobReport'] = () => ({ job: { ...report, running: many } });
  const lines = (await set.run('show', '12')).stdout.trimEnd().split('\n');
  expect(lines.at(-1)).toBe('… and at least 80 more tasks run');
  expect(lines).toHaveLength(24);
});

/** A job with a history of 1,500 events, of which pages are given as Jobs does. */
function answerHistory(platform: TestPlatform): void {
  const SIZE = 1_500;
  const page = (before: number, limit: number) =>
    Array.from({ length: Math.min(limit, before - 1) }, (_, at) => eventOf({ id: before - 1 - at }));
  platform.answers['JobReport'] = ({ history }) => ({
    job: { ...failedReport, history: page(SIZE + 1, history as number), historySize: SIZE },
  });
  platform.answers['History'] = ({ before = SIZE + 1, limit }) => ({
    job: { history: page(before as number, limit as number) },
  });
}

test('of a long history the latest events are shown, and how to see the others', async () => {
  await using set = await setUp();
  answerHistory(set.platform);
  const ids = (run: { json(): unknown }) =>
    (run.json() as { history: JobEvent[] }).history.map(({ id }) => id);
  const lineOf = (run: { stdout: string }) => /^… .*events.*$/m.exec(run.stdout)?.[0];
  const shown = await set.run('show', '12');
  expect(lineOf(shown)).toBe('… and 1,490 earlier events; see them with: jobber job show 12 --history');
  const json = await set.run('show', '12', '--json');
  expect(ids(json)).toEqual([1491, 1492, 1493, 1494, 1495, 1496, 1497, 1498, 1499, 1500]);
  expect(json.json()).toMatchObject({ historySize: 1_500 });

  const last = await set.run('show', '12', '--events', '2');
  expect(lineOf(last)).toBe(
    '… and 1,498 earlier events; see them with: jobber job show 12 --events 2 --before 1499',
  );
  expect(ids(await set.run('show', '12', '--events', '2', '--before', '1499', '--json'))).toEqual([
    1497, 1498,
  ]);
  expect(lineOf(await set.run('show', '12', '--events', '2', '--before', '1499'))).toBe(
    '… and perhaps earlier events; see them with: jobber job show 12 --events 2 --before 1497',
  );

  const all = await set.run('show', '12', '--history');
  expect(lineOf(all)).toBeUndefined();
  expect(ids(await set.run('show', '12', '--history', '--json'))).toEqual(
    Array.from({ length: 1_500 }, (_, at) => at + 1),
  );
});

test.each([
  [['--events', '0'], 'INVALID_NUMBER'],
  [['--events', '100001'], 'INVALID_NUMBER'],
  [['--events', '5', '--before', '0'], 'INVALID_NUMBER'],
])('%j is refused before anything is asked', async (flags, reason) => {
  await using set = await setUp();
  const run = await set.run('show', '12', ...flags, '--json');
  expect(run.exitCode).toBe(2);
  expect(run.json()).toMatchObject({ error: { reason } });
  expect(set.platform.calls).toEqual([]);
});

test('a list of jobs shows when a scheduled one begins, and filters by tags', async () => {
  await using set = await setUp();
  const runAt = new Date(Date.now() + 3_600_900).toISOString();
  const scheduled = jobOf({ status: 'SCHEDULED', runAt, completed: 0, endedAt: null });
  set.platform.answers['Jobs'] = () => ({ jobs: [scheduled] });
  const run = await set.run('list', '--tag', 'eu', '--tag', 'nightly');
  expect(run.stdout).toContain(`${runAt.slice(0, 10)} ${runAt.slice(11, 19)}`);
  expect(run.stdout).toMatch(/SCHEDULED .* in (1 h|59 min)/);
  expect(set.platform.calls[0]?.variables).toMatchObject({ filter: { tags: ['eu', 'nightly'] } });
  expect((await set.run('list', '--tag', ' ')).exitCode).toBe(2);
});
