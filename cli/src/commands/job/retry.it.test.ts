import { expect, test } from 'vitest';
import { startLoggedIn } from '../../testing/logged-in.ts';
import { jobOf, refuse } from '../../testing/test-platform.ts';

const again = { status: 'IN_PROGRESS', size: 10, completed: 7, failed: 0, endedAt: null, round: 2 } as const;

async function setUp() {
  const set = await startLoggedIn();
  const { platform } = set;
  platform.answers['Retry'] = ({ id }) => {
    if (id === 13) return refuse(409, 'NOT_RETRYABLE', "Job with ID 13 can't be retried: it is COMPLETED");
    return { retryJob: jobOf({ ...again, id: id as number }) };
  };
  return set;
}

test('a retry says which round begins, with how many items', async () => {
  await using set = await setUp();
  const run = await set.cli.run(['job', 'retry', '12']);
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  expect(run.stdout).toBe('Job 12: round 2 begins with 3 items. Follow it with: jobber job show 12 --wait\n');
});

test('with --wait the exit code is that of the job', async () => {
  await using set = await setUp();
  const run = await set.cli.run(['job', 'retry', '12', '--wait']);
  expect(run.exitCode).toBe(0);
  expect(run.stderr).toBe('Job 12: round 2 begins with 3 items\n');
  expect(run.stdout).toContain('Job 12  Fibonacci  COMPLETED');
  const failed = jobOf({ status: 'FAILED' });
  set.platform.events = (_id, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`event: job\ndata: ${JSON.stringify(failed)}\n\n`);
  };
  expect((await set.cli.run(['job', 'retry', '12', '--timeout', '1m'])).exitCode).toBe(1);
});

test('several jobs are retried each by itself, and not waited for', async () => {
  await using set = await setUp();
  const run = await set.cli.run(['job', 'retry', '12', '13', '14']);
  expect(run.exitCode).toBe(5);
  expect(run.stdout).toBe('Job 12: round 2 begins with 3 items\nJob 14: round 2 begins with 3 items\n');
  expect(run.stderr).toBe("Error: Job 13: Job with ID 13 can't be retried: it is COMPLETED\n");
  const waiting = await set.cli.run(['job', 'retry', '12', '14', '--wait']);
  expect(waiting.exitCode).toBe(2);
  expect(waiting.stderr).toContain('--wait and --timeout are for one job');
});

test('a lost answer is not asked for again, because the second would be refused', async () => {
  await using set = await setUp();
  set.platform.answers['Retry'] = () => refuse(503, 'UNAVAILABLE', 'The database is away');
  expect((await set.cli.run(['job', 'retry', '12'])).exitCode).toBe(6);
  expect(set.platform.calls).toHaveLength(1);
});
