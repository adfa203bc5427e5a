import { expect, test } from 'vitest';
import { startLoggedIn } from '../../testing/logged-in.ts';
import { makeTestCli } from '../../testing/test-cli.ts';
import { jobOf, refuse } from '../../testing/test-platform.ts';

const hostile = 'Upstream\u001b]0;owned\u0007 refused\u001b[2J';

function letterOf(id: string) {
  return {
    id,
    task: Number(id.split('/')[1]),
    name: 'LoadProducts',
    attempts: 5,
    round: 1,
    diedAt: '2026-03-01T10:00:00.000Z',
    reason: 'Refused',
    message: hostile,
    failed: 2,
    job: { owner: 'u2' },
  };
}

async function setUp() {
  const set = await startLoggedIn();
  const { platform, cli } = set;
  platform.answers['DeadLetters'] = () => ({ deadLetters: [letterOf('12/3'), letterOf('12/1')] });
  const run = (...args: string[]) => cli.run(['dead-letter', ...args], { env: { TZ: 'UTC' } });
  return { ...set, run };
}

test('dead letters are listed with their last error, and how to look into one', async () => {
  await using set = await setUp();
  const run = await set.run('list');
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  expect(run.stdout.split('\n')).toEqual([
    'ID    TYPE          DIED                 ATTEMPTS  ITEMS  REASON   MESSAGE',
    '12/3  LoadProducts  2026-03-01 10:00:00         5      2  Refused  Upstream refused',
    '12/1  LoadProducts  2026-03-01 10:00:00         5      2  Refused  Upstream refused',
    '',
    'Look into one with: jobber dead-letter show 12/3',
    '',
  ]);
  expect((await set.run('list', '--limit', '2')).stdout).toContain('More: the same with --before 12/1');
  set.platform.answers['DeadLetters'] = () => ({ deadLetters: [] });
  expect((await set.run('list')).stdout).toBe('No dead letters\n');
});

test('filters reach the server; whose they are is shown when everybody is asked for', async () => {
  await using set = await setUp();
  const types = ['--type', 'fibonacci', '--type', 'load-products'];
  const times = ['--since', '2026-03-01T00:00:00Z', '--until', '2026-03-02T00:00:00Z'];
  const rest = ['--job', '12', '--error', 'Refused', '--all-owners', '--before', '13/0', '--limit', '7'];
  const run = await set.run('list', ...types, ...times, ...rest);
  expect(run.stdout).toMatch(/OWNER.*\n.* u2 /);
  expect(set.platform.calls[0]?.variables).toEqual({
    filter: {
      type: ['fibonacci', 'load-products'],
      job: [12],
      diedAfter: '2026-03-01T00:00:00.000Z',
      diedBefore: '2026-03-02T00:00:00.000Z',
      error: 'Refused',
      allOwners: true,
    },
    limit: 7,
    before: '13/0',
  });
});

test.each([
  [['list', '--limit', '201'], '--limit must be a whole number from 1 to 200: "201" is too large'],
  [['list', '--before', '12'], '--before must be <job>/<task>, for example 12/3: "12" is not'],
  [['list', '--since', 'yesterday'], '--since must be a date like'],
  [['list', '--error', ' '], '--error is empty'],
  [['list', '--error', 'x'.repeat(501)], '--error must be at most 500 characters: these are 501'],
  [['list', '--job', '1.5'], '--job must be a whole number'],
  [['list', '--owner', 'x', '--all-owners'], '--all-owners'],
  [['show', '12'], '"12" is not; all those of job 12 are --job 12'],
])('%j is refused before any request', async (args, message) => {
  await using set = await setUp();
  const run = await set.run(...args);
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toContain(message);
  expect(set.platform.calls).toEqual([]);
});

test("others' dead letters are refused as the server says", async () => {
  await using set = await setUp();
  set.platform.answers['DeadLetters'] = () =>
    refuse(403, 'FORBIDDEN', 'Your roles do not allow this: jobs:read:any is missing');
  const run = await set.run('list', '--all-owners');
  expect(run.exitCode).toBe(4);
  expect(run.stderr).toBe('Error: Your roles do not allow this: jobs:read:any is missing\n');
});

test('a dead letter is shown with the input, the errors, and every attempt', async () => {
  await using set = await setUp();
  const event = { id: 1, at: '2026-03-01T09:00:00.000Z', round: 1, task: 3, executor: 'e1', detail: null };
  set.platform.answers['DeadLetter'] = () => ({
    deadLetter: {
      ...letterOf('12/3'),
      job: jobOf(),
      errors: [
        { index: 7, reason: 'Refused', message: hostile },
        { index: 9, reason: 'Refused', message: 'no' },
      ],
      input: [{ index: 7, value: { name: 'Kite\u001b[31m', price: 1.5 } }],
      history: [
        { ...event, event: 'RETRIED', attempt: 4, reason: 'Refused', message: 'no' },
        { ...event, id: 2, event: 'DIED', attempt: 5, reason: null, message: null },
      ],
    },
  });
  const run = await set.run('show', '12/3');
  expect(run.stdout.trimEnd().split('\n\n')).toEqual([
    'Dead letter 12/3  LoadProducts  died 2026-03-01 10:00:00\n2 items failed for good, after 5 attempts',
    'Refused: Upstream refused',
    [
      'ITEM  INPUT                                  REASON   MESSAGE',
      '   7  {"name":"Kite\\u001b[31m","price":1.5}  Refused  Upstream refused',
      '   9                                         Refused  no',
    ].join('\n'),
    [
      'AT                   EVENT    TASK  ATTEMPT  EXECUTOR  WHY',
      '2026-03-01 09:00:00  RETRIED     3        4  e1        Refused: no',
      '2026-03-01 09:00:00  DIED        3        5  e1',
    ].join('\n'),
    'Run it again with: jobber dead-letter redrive 12/3',
  ]);
});

test('what other platforms call it is understood as a question', async () => {
  using cli = makeTestCli();
  for (const [typed, meant] of [
    ['dlq ls', 'dead-letter list'],
    ['dlq', 'dead-letter'],
    ['dead-letters show 12/3', 'dead-letter show'],
    ['dead-letter retry 12/3', 'dead-letter redrive'],
    ['jobs list', 'job list'],
    ['job rerun 3', 'job retry'],
  ] as const) {
    const run = await cli.run(typed.split(' '));
    expect(run.stderr).toBe(`Error: There is no command ${typed}. Did you mean jobber ${meant}?\n`);
    expect(run.exitCode).toBe(2);
  }
});
