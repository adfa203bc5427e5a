import { expect, test } from 'vitest';
import { startLoggedIn } from '../../testing/logged-in.ts';
import { onTerminal, script } from '../../testing/on-terminal.ts';
import { refuse } from '../../testing/test-platform.ts';

const done = { matched: 2, redriven: 2, items: 5, jobs: [12], refused: [], remaining: 0, last: 12 };

async function setUp() {
  const set = await startLoggedIn();
  const { platform, cli } = set;
  const answers: object[] = [];
  platform.answers['Redrive'] = ({ dryRun }) => ({
    redriveDeadLetters: (dryRun ? undefined : answers.shift()) ?? done,
  });
  const run = (...args: string[]) => cli.run(['dead-letter', 'redrive', ...args]);
  const asked = () => platform.calls.map(({ variables }) => variables);
  return { ...set, run, asked, answers };
}

test('dead letters are run again by their ids', async () => {
  await using set = await setUp();
  const run = await set.run('12/3', '12/4');
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  expect(run.stdout).toBe(
    '2 dead letters are run again (5 items, in job 12)\nFollow it with: jobber job show 12 --wait\n',
  );
  expect(set.asked()).toEqual([{ ids: ['12/3', '12/4'], dryRun: false }]);
});

test('a filter is run again until nothing is left of it', async () => {
  await using set = await setUp();
  set.answers.push(
    { ...done, matched: 25_000, redriven: 10_000, items: 10_000, jobs: [1, 2], remaining: 15_000, last: 2 },
    // Some have failed meanwhile.
    { ...done, matched: 15_001, redriven: 10_000, items: 10_000, jobs: [3], remaining: 5_001, last: 3 },
    { ...done, matched: 5_001, redriven: 5_001, items: 5_001, jobs: [4], last: 4 },
  );
  const run = await set.run('--type', 'fibonacci', '--json');
  expect(run.exitCode).toBe(0);
  expect(run.json()).toEqual({
    matched: 25_001,
    redriven: 25_001,
    items: 25_001,
    jobs: [1, 2, 3, 4],
    refused: [],
    remaining: 0,
    dryRun: false,
  });
  // Those of a job that has failed again are not run for a third time.
  expect(set.asked().map(({ after }) => after)).toEqual([undefined, 2, 3]);
});

test('what is refused is named with the reason, and ends with 5; the rest is run again', async () => {
  await using set = await setUp();
  const refused = [{ id: '12/3', reason: 'UNIQUE_CONFLICT', message: 'An unfinished\u001b[2J job' }];
  set.answers.push(
    { matched: 3, redriven: 0, items: 0, jobs: [], refused, remaining: 2, last: 12 },
    { matched: 2, redriven: 2, items: 2, jobs: [13], refused: [], remaining: 0, last: 13 },
  );
  const run = await set.run('--since', '2h');
  expect(run.exitCode).toBe(5);
  expect(run.stdout).toBe(
    [
      '2 dead letters are run again (2 items, in job 13)',
      '',
      "1 can't be run again:",
      '',
      'ID    REASON           MESSAGE',
      '12/3  UNIQUE_CONFLICT  An unfinished job',
      'Follow it with: jobber job show 13 --wait',
      '',
    ].join('\n'),
  );
  expect(set.asked()).toHaveLength(2);
});

test('--dry-run changes nothing and says what would be', async () => {
  await using set = await setUp();
  const run = await set.run('--error', 'refused', '--dry-run');
  expect(run.exitCode).toBe(0);
  expect(run.stdout).toBe('2 dead letters would be run again (5 items, in job 12)\n');
  expect(set.asked()).toEqual([{ filter: { error: 'refused' }, all: false, dryRun: true }]);
});

test('nothing that matches is no error', async () => {
  await using set = await setUp();
  set.answers.push({ matched: 0, redriven: 0, items: 0, jobs: [], refused: [], remaining: 0, last: null });
  const run = await set.run('--job', '12');
  expect(run.exitCode).toBe(0);
  expect(run.stdout).toBe('No dead letter that can be run again matches: nothing was done\n');
});

test('--all says how many there are, and without a terminal or --yes does nothing', async () => {
  await using set = await setUp();
  const run = await set.run('--all', '--all-owners');
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toBe(
    'Error: This runs all dead letters of all users again: 2 dead letters, and there is no terminal to ask: say --yes\n',
  );
  expect(set.asked()).toEqual([{ filter: { allOwners: true }, all: true, dryRun: true }]);
  expect((await set.run('--all', '--yes')).exitCode).toBe(0);
  expect(set.asked().at(-1)).toEqual({ filter: {}, all: true, dryRun: false });
});

test.each([
  [[], 'Nothing says which dead letters: give ids (12/3), a filter'],
  [['--all-owners'], 'Nothing says which dead letters'],
  [['12/3', '--type', 'fibonacci'], 'Ids and a filter exclude each other'],
  [['12/3', '--all'], 'Ids and a filter exclude each other'],
  [['--all', '--type', 'fibonacci'], '--all means every dead letter'],
  [
    ['12'],
    'The id of a dead letter must be <job>/<task>, for example 12/3: "12" is not; all those of job 12 are --job 12',
  ],
  [['--error', ''], '--error is empty'],
])('%j is refused before any request', async (args, message) => {
  await using set = await setUp();
  const run = await set.run(...args);
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toContain(`Error: ${message}`);
  expect(set.platform.calls).toEqual([]);
});

test('when the platform goes away in between it is said how many were run again', async () => {
  await using set = await setUp();
  let calls = 0;
  set.platform.answers['Redrive'] = () => {
    calls += 1;
    if (calls > 1) return refuse(503, 'UNAVAILABLE', 'The database is away; try again');
    return { redriveDeadLetters: { ...done, matched: 3, remaining: 1 } };
  };
  const run = await set.run('--since', '2h');
  expect(run.exitCode).toBe(6);
  expect(run.stderr).toBe(
    'Error: The database is away; try again; 2 of 3 dead letters were run again before\n',
  );
});

test('of dead letters that are named, those that were not looked at are asked for, and no other again', async () => {
  await using set = await setUp();
  const refused = [{ id: '2/10', reason: 'NOT_DEAD', message: 'It is no dead letter (any more)' }];
  set.answers.push(
    { matched: 4, redriven: 1, items: 1, jobs: [2], refused, remaining: 2, last: 2 },
    { matched: 2, redriven: 1, items: 1, jobs: [10], refused: [], remaining: 1, last: 10 },
    { matched: 1, redriven: 1, items: 1, jobs: [10], refused: [], remaining: 0, last: 10 },
  );
  const run = await set.run('10/10', '10/9', '2/10', '2/9', '--json');
  expect(set.asked().map((variables) => variables['ids'])).toEqual([
    ['10/10', '10/9', '2/10', '2/9'],
    ['10/9', '10/10'],
    ['10/10'],
  ]);
  expect(run.exitCode).toBe(5);
  expect(run.json()).toMatchObject({
    matched: 4,
    redriven: 3,
    items: 3,
    jobs: [2, 10],
    refused,
    remaining: 0,
  });
});

test('when the platform goes away between named dead letters it is said what to type for the rest', async () => {
  await using set = await setUp();
  let calls = 0;
  set.platform.answers['Redrive'] = () => {
    calls += 1;
    if (calls % 2 === 0) return refuse(503, 'UNAVAILABLE', 'The database is away; try again');
    return { redriveDeadLetters: { ...done, matched: 4, remaining: 2 } };
  };
  const run = await set.run('14/1', '12/3', '13/1', '12/4');
  expect(run.exitCode).toBe(6);
  expect(run.stderr).toBe(
    'Error: The database is away; try again; 2 of 4 dead letters were run again before; for the others type: jobber dead-letter redrive 13/1 14/1\n',
  );
  const json = await set.run('14/1', '12/3', '13/1', '12/4', '--json');
  expect(json.json()).toMatchObject({ error: { details: { redriven: 2, rest: ['13/1', '14/1'] } } });
});

test.runIf(script)('on a terminal --all asks, and Enter means no', async () => {
  await using set = await setUp();
  const running = set.cli.startProgram(onTerminal('dead-letter redrive --all'));
  await running.until('2 dead letters. Go on? [y/N]');
  running.child.stdin?.write('\r');
  const no = await running.ended;
  expect(no.stdout).toContain('Nothing was done');
  expect(no.exitCode).toBe(130);
  expect(set.asked()).toHaveLength(1);
  const again = set.cli.startProgram(onTerminal('dead-letter redrive --all'));
  await again.until('[y/N]');
  again.child.stdin?.write('y\r');
  expect((await again.ended).stdout).toContain('2 dead letters are run again');
  const interrupted = set.cli.startProgram(onTerminal('dead-letter redrive --all'));
  await interrupted.until('[y/N]');
  interrupted.child.stdin?.write('\u0003');
  const run = await interrupted.ended;
  expect(run.stdout).toContain('Interrupted: nothing was done');
  expect(run.exitCode).toBe(130);
});

test.runIf(script)(
  'on a terminal a filter that leaves nothing out asks, one that leaves something out does not',
  async () => {
    await using set = await setUp();
    const everything = set.cli.startProgram(
      onTerminal('dead-letter redrive --since 1971-01-01 --all-owners'),
    );
    await everything.until('The filter leaves nothing out: this runs all 2 dead letters again. Go on? [y/N]');
    everything.child.stdin?.write('\r');
    expect((await everything.ended).exitCode).toBe(130);
    expect(set.asked()).toEqual([
      { filter: { diedAfter: expect.any(String), allOwners: true }, all: false, dryRun: true },
      { filter: { allOwners: true }, all: true, dryRun: true },
    ]);

    set.platform.answers['Redrive'] = ({ all }) => ({
      redriveDeadLetters: { ...done, matched: all ? 3 : 2 },
    });
    const some = await set.cli.startProgram(onTerminal('dead-letter redrive --type fibonacci')).ended;
    expect(some.stdout).toContain('2 dead letters are run again');
    const said = await set.cli.startProgram(onTerminal('dead-letter redrive --type fibonacci --yes')).ended;
    expect(said.exitCode).toBe(0);
    expect(set.asked()).toHaveLength(6);
  },
);
