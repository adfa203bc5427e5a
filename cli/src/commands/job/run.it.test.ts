import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { startLoggedIn } from '../../testing/logged-in.ts';
import { makeTestCli } from '../../testing/test-cli.ts';
import { FIBONACCI, jobOf, refuse, type TestPlatform } from '../../testing/test-platform.ts';

function submitted({ calls }: TestPlatform): Record<string, unknown>[] {
  return calls
    .filter(({ operation }) => operation === 'Run')
    .map(({ variables }) => variables['input'] as Record<string, unknown>);
}

const running = jobOf({ status: 'IN_PROGRESS', completed: 0, endedAt: null });

test('with nothing but its type a job runs the example of the type, and off a terminal nobody waits', async () => {
  await using set = await startLoggedIn();
  const run = await set.cli.run(['job', 'run', 'FIBONACCI']);
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  expect(run.stdout).toBe('Job 12 accepted: Fibonacci, 1 item. Follow it with: jobber job show 12 --wait\n');
  expect(submitted(set.platform)).toEqual([
    { name: 'Fibonacci', data: { iterations: 10 }, idempotencyKey: expect.stringMatching(/^[0-9a-f-]{36}$/) },
  ]);
});

test('flags are made from the schema of the type, also in front of it', async () => {
  await using set = await startLoggedIn();
  await set.cli.run(['job', 'run', '--iterations', '90', 'fibonacci']);
  await set.cli.run(['job', 'run', 'fibonacci', '--iterations=91', '--idempotency-key', 'k1']);
  expect(submitted(set.platform)).toMatchObject([
    { data: { iterations: 90 } },
    { data: { iterations: 91 }, idempotencyKey: 'k1' },
  ]);
});

test('waiting ends with the result, and with 1 when the job failed', async () => {
  await using set = await startLoggedIn();
  const good = await set.cli.run(['job', 'run', 'fibonacci', '--wait']);
  expect(good).toMatchObject({ exitCode: 0, stderr: '' });
  expect(good.stdout).toContain('F(10) = 55');
  const failed = jobOf({ status: 'FAILED', completed: 0, failed: 1 });
  const errors = [{ index: 0, reason: 'TOO_LARGE', message: 'too large' }];
  set.platform.answers['JobReport'] = () => ({
    job: { ...failed, result: null, counters: {}, errors, running: [], history: [], historySize: 0 },
  });
  set.platform.events = (_id, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`event: job\ndata: ${JSON.stringify(failed)}\n\n`);
  };
  const bad = await set.cli.run(['job', 'run', 'fibonacci', '--wait', '--json']);
  expect(bad.exitCode).toBe(1);
  expect(bad.json()).toMatchObject({ status: 'FAILED', errors });
});

test('without a stream of events, or when it breaks off, the job is asked for', async () => {
  await using set = await startLoggedIn();
  let asked = 0;
  set.platform.answers['Job'] = () => {
    asked += 1;
    return { job: asked < 3 ? running : jobOf() };
  };
  set.platform.events = (_id, response) => response.writeHead(404).end();
  expect((await set.cli.run(['job', 'run', 'fibonacci', '--wait'])).exitCode).toBe(0);
  asked = 0;
  set.platform.events = (_id, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`event: job\ndata: ${JSON.stringify(running)}\n\n`, () => response.destroy());
  };
  expect((await set.cli.run(['job', 'run', 'fibonacci', '--wait'])).exitCode).toBe(0);
  expect(asked).toBe(3);
});

test('the time to wait is limited by --timeout: 6, and how to come back', async () => {
  await using set = await startLoggedIn();
  set.platform.events = (_id, response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  const run = await set.cli.run(['job', 'run', 'fibonacci', '--wait', '--timeout', '200ms', '--json']);
  expect(run.exitCode).toBe(6);
  expect(run.json()).toMatchObject({
    error: {
      message: 'Job 12 has not ended within 0.2 s and goes on; come back with: jobber job show 12 --wait',
      reason: 'TIMED_OUT',
      details: { job: { id: 12 } },
    },
  });
});

test('an unknown type is refused with what was probably meant', async () => {
  await using set = await startLoggedIn();
  const run = await set.cli.run(['job', 'run', 'fibonaci']);
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toBe(
    'Error: There is no job type fibonaci. Did you mean fibonacci? Known types: fibonacci\n',
  );
});

test.each(['abc', '0x10', '2.5', '-5', '1e400', '１２'])(
  '--iterations %s is refused and nothing is submitted',
  async (text) => {
    await using set = await startLoggedIn();
    const run = await set.cli.run(['job', 'run', 'fibonacci', '--iterations', text]);
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain(`Error: --iterations must be a whole number from 0 to 100,000: "${text}"`);
    expect(submitted(set.platform)).toEqual([]);
  },
);

test('items come from a file, from a pipe or from the command line, with every digit', async () => {
  await using set = await startLoggedIn();
  const items = '[{"iterations":12345678901234567890},{"price":1.10000000000000000001}]';
  const path = join(dirname(set.cli.home), 'items.json');
  writeFileSync(path, `\uFEFF${items}\n`);
  await set.cli.run(['job', 'run', 'fibonacci', '--input', `@${path}`]);
  await set.cli.run(['job', 'run', 'fibonacci', '--input', '-'], { input: items });
  await set.cli.run(['job', 'run', 'fibonacci', '--input', items]);
  const bodies = set.platform.calls.filter(({ operation }) => operation === 'Run').map(({ text }) => text);
  expect(bodies).toHaveLength(3);
  for (const body of bodies) expect(body).toContain(`"data":${items}`);
});

test.each([
  ['{"iterations":', 'The value of --input is not JSON'],
  ['null', 'The value of --input is null'],
  ['7', 'The value of --input is a number'],
  ['[]', 'The value of --input is an empty array'],
  ['@none.json', 'none.json does not exist'],
  ['@.', '. is a directory, not a file'],
  ['-', 'Nothing came from stdin'],
])('--input %s is refused', async (input, message) => {
  await using set = await startLoggedIn();
  const run = await set.cli.run(['job', 'run', 'fibonacci', '--input', input]);
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toContain(`Error: ${message}`);
  expect(submitted(set.platform)).toEqual([]);
});

test.each(['file', 'pipe'])('a %s of more than 16 MiB is refused before anything is sent', async (from) => {
  await using set = await startLoggedIn();
  const items = `[${' '.repeat(16 * 1024 * 1024)}{}]`;
  const path = join(dirname(set.cli.home), 'items.json');
  writeFileSync(path, items);
  const run = await (from === 'file'
    ? set.cli.run(['job', 'run', 'fibonacci', '--input', `@${path}`])
    : set.cli.run(['job', 'run', 'fibonacci', '--input', '-'], { input: items }));
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toBe(
    `Error: ${from === 'file' ? path : 'What came from stdin'} is larger than 16.0 MiB: load large files with jobber products load\n`,
  );
  expect(submitted(set.platform)).toEqual([]);
});

test('a lost answer is asked for again with the same key', async () => {
  await using set = await startLoggedIn();
  let lost = 0;
  set.platform.answers['Run'] = () => {
    lost += 1;
    return lost < 3 ? refuse(503, 'UNAVAILABLE', 'later') : { executeJob: running };
  };
  expect((await set.cli.run(['job', 'run', 'fibonacci'])).exitCode).toBe(0);
  const keys = submitted(set.platform).map(({ idempotencyKey }) => idempotencyKey);
  expect(keys).toHaveLength(3);
  expect(new Set(keys).size).toBe(1);
});

test('the items that the server refuses are listed', async () => {
  await using set = await startLoggedIn();
  const problems = [{ index: 3, field: 'iterations', expected: 'an integer', got: '2.5', message: 'wrong' }];
  set.platform.answers['Run'] = () =>
    refuse(400, 'INVALID_DATA', '1 item is invalid', { problems, total: 1 });
  const run = await set.cli.run(['job', 'run', 'fibonacci', '--input', '[{"iterations":2.5}]']);
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toMatch(
    /Error: 1 item is invalid\n\nindex +field +expected +got\n +3 +iterations +an integer +2\.5\n/,
  );
});

test('a type that no executor offers is run, with a warning', async () => {
  await using set = await startLoggedIn();
  set.platform.answers['JobTypes'] = () => ({ jobsMetadata: [{ ...FIBONACCI, available: false }] });
  const run = await set.cli.run(['job', 'run', 'fibonacci']);
  expect(run.exitCode).toBe(0);
  expect(run.stderr).toBe(
    'Warning: No executor offers Fibonacci at the moment: the job waits until one does\n',
  );
});

test('the help of a type shows its flags; code in a description is not run', async () => {
  await using set = await startLoggedIn();
  const description = 'Evil <%= process.exit(9) %> type';
  set.platform.answers['JobTypes'] = () => ({ jobsMetadata: [{ ...FIBONACCI, description }] });
  const run = await set.cli.run(['job', 'run', 'fibonacci', '--help']);
  expect(run.exitCode).toBe(0);
  expect(run.stdout).toMatch(
    /FLAGS OF fibonacci\n {2}Evil <%= process\.exit\(9\) %> type\n\n {2}--iterations <number> +Which number/,
  );
});

test('without a platform help is there all the same', async () => {
  using cli = makeTestCli();
  const run = await cli.run(['job', 'run', 'fibonacci', '--help']);
  expect(run.exitCode).toBe(0);
  expect(run.stdout).toContain('They are shown here when a platform answers. Not logged in');
});

test('an item that only a lenient parser takes is wrong input, and is told as one', async () => {
  await using set = await startLoggedIn();
  const say = (where: string) =>
    `The request's JSON is refused: variables.input.data${where}, line 1: expected each property name once, got "iterations" again.`;
  for (const [place, told] of [
    ['.iterations', 'Item 0, iterations'],
    ['[1].iterations', 'Item 1, iterations'],
    ['[2]', 'Item 2'],
  ] as const) {
    set.platform.answers['Run'] = () => refuse(400, 'MALFORMED_REQUEST', say(place));
    const run = await set.cli.run(['job', 'run', 'fibonacci', '--input', '{"iterations":1,"iterations":2}']);
    expect(run).toMatchObject({
      exitCode: 2,
      stderr: `Error: ${told}: expected each property name once, got "iterations" again\n`,
    });
  }
});
