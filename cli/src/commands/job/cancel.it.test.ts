import { expect, test } from 'vitest';
import { startLoggedIn } from '../../testing/logged-in.ts';
import { jobOf, refuse } from '../../testing/test-platform.ts';

async function setUp() {
  const set = await startLoggedIn();
  const { platform } = set;
  platform.answers['Cancel'] = ({ id }) => ({
    cancelJob: jobOf({ id: id as number, status: 'CANCELLED', completed: 0 }),
  });
  const cancelled = () =>
    platform.calls
      .filter(({ operation }) => operation === 'Cancel')
      .map(({ variables }) => variables['id'] as number);
  return { ...set, cancelled };
}

test('a hundred jobs are cancelled, eight requests at a time, and told in the order of their ids', async () => {
  await using set = await setUp();
  let now = 0;
  let most = 0;
  set.platform.delay = async () => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setImmediate(resolve));
    now -= 1;
  };
  const ids = Array.from({ length: 100 }, (_, at) => String(at + 1));
  const run = await set.cli.run(['job', 'cancel', ...ids, '1']);
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  const told = run.stdout.trimEnd().split('\n');
  expect(told).toEqual(ids.map((id) => `Job ${id} cancelled; 0 of 1 items were done`));
  expect(set.cancelled().sort((a, b) => a - b)).toEqual(ids.map(Number));
  expect(most).toBeLessThanOrEqual(8);
});

test('a refusal concerns its job alone; the exit code is that of the first refused', async () => {
  await using set = await setUp();
  const answer = set.platform.answers['Cancel']!;
  set.platform.answers['Cancel'] = (variables, call) => {
    if (variables['id'] === 2) return refuse(404, 'JOB_NOT_FOUND', 'Job with ID 2 not found');
    if (variables['id'] === 3) return refuse(409, 'JOB_ENDED', 'Job with ID 3 has ended as COMPLETED');
    return answer(variables, call);
  };
  const run = await set.cli.run(['job', 'cancel', '1', '3', '2', '4']);
  expect(run.exitCode).toBe(5);
  expect(run.stdout).toContain('Job 1 cancelled');
  expect(run.stdout).toContain('Job 4 cancelled');
  expect(run.stderr).toBe(
    'Error: Job 3: Job with ID 3 has ended as COMPLETED\nError: Job 2: Job with ID 2 not found\n',
  );
  const json = await set.cli.run(['job', 'cancel', '2', '1', '--json']);
  expect(json.exitCode).toBe(4);
  expect(json.json()).toMatchObject({
    jobs: [{ id: 1, status: 'CANCELLED' }],
    failed: [{ id: 2, code: 404, reason: 'JOB_NOT_FOUND', exitCode: 4 }],
  });
});

test('when the session has ended the rest is not tried', async () => {
  await using set = await setUp();
  set.platform.answers['Cancel'] = () => refuse(401, 'UNAUTHENTICATED', 'Unauthorized');
  set.platform.answers['Refresh'] = () => refuse(401, 'TOKEN_INVALID', 'The refresh token is not valid');
  const ids = Array.from({ length: 50 }, (_, at) => String(at + 1));
  const run = await set.cli.run(['job', 'cancel', ...ids]);
  expect(run.exitCode).toBe(3);
  expect(run.stderr).toMatch(/Error: Job 1: .*jobber login\n/);
  expect(run.stderr).toMatch(/Error: \d+ jobs were not tried: 9 10 11/);
  expect(set.cancelled().length).toBeLessThanOrEqual(16);
});

test('an id that can be none is refused before anything is cancelled', async () => {
  await using set = await setUp();
  const run = await set.cli.run(['job', 'cancel', '1', '2x', '3']);
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toContain('Error: The id of a job must be a whole number');
  const many = Array.from({ length: 1001 }, (_, at) => String(at + 1));
  expect((await set.cli.run(['job', 'cancel', ...many])).stderr).toBe(
    'Error: At most 1,000 jobs can be named at once: these are 1,001\n',
  );
  expect(set.platform.calls).toEqual([]);
});
