import { expect, test } from 'vitest';
import { startLoggedIn } from '../testing/logged-in.ts';
import { onTerminal, script } from '../testing/on-terminal.ts';
import { jobOf } from '../testing/test-platform.ts';

const half = jobOf({ status: 'IN_PROGRESS', size: 1000, completed: 500, endedAt: null });

async function setUp() {
  const set = await startLoggedIn();
  const { platform } = set;
  const opened = Promise.withResolvers<void>();
  platform.answers['Job'] = () => ({ job: half });
  platform.events = (_id, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`event: job\ndata: ${JSON.stringify(half)}\n\n`, () => opened.resolve());
  };
  return { ...set, opened: opened.promise };
}

test('the first Ctrl-C detaches: the job goes on, 130, and how to come back', async () => {
  await using set = await setUp();
  const running = set.cli.start(['job', 'show', '12', '--wait']);
  await set.opened;
  running.child.kill('SIGINT');
  expect(await running.ended).toMatchObject({
    exitCode: 130,
    stdout: '',
    stderr: 'Detached: job 12 goes on without you; come back with: jobber job show 12 --wait\n',
  });
  expect(set.platform.calls.map(({ operation }) => operation)).not.toContain('Cancel');
});

test('Ctrl-C while a job is handed over names the job that was accepted', async () => {
  await using set = await setUp();
  const submitting = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  set.platform.delay = async ({ operation }) => {
    if (operation !== 'Run') return;
    submitting.resolve();
    await answered.promise;
  };
  const running = set.cli.start(['job', 'run', 'fibonacci', '--wait', '--json']);
  await submitting.promise;
  running.child.kill('SIGINT');
  answered.resolve();
  const run = await running.ended;
  expect(run.exitCode).toBe(130);
  expect(run.json()).toMatchObject({ error: { reason: 'INTERRUPTED', details: { job: { id: 12 } } } });
});

test('Ctrl-C anywhere else ends with 130, with --json as JSON', async () => {
  await using set = await setUp();
  const asked = Promise.withResolvers<void>();
  set.platform.delay = () => {
    asked.resolve();
    return new Promise(() => {});
  };
  const running = set.cli.start(['whoami', '--json']);
  await asked.promise;
  running.child.kill('SIGINT');
  const run = await running.ended;
  expect(run.exitCode).toBe(130);
  expect(run.json()).toMatchObject({ error: { reason: 'INTERRUPTED', exitCode: 130 } });
});

test('with --json a detached command prints JSON', async () => {
  await using set = await setUp();
  const running = set.cli.start(['job', 'show', '12', '--wait', '--json']);
  await set.opened;
  running.child.kill('SIGINT');
  const run = await running.ended;
  expect(run.exitCode).toBe(130);
  expect(run.json()).toMatchObject({
    error: { reason: 'INTERRUPTED', exitCode: 130, details: { job: { id: 12 } } },
  });
});

test.runIf(script)('on a terminal there is progress, and Ctrl-C detaches', async () => {
  await using set = await setUp();
  const running = set.cli.startProgram(onTerminal('job show 12 --wait'));
  await running.until('500 of 1,000');
  running.child.stdin?.write('\u0003');
  const run = await running.ended;
  expect(run.stdout).toContain('█');
  expect(run.stdout).toContain('Detached: job 12 goes on without you');
  expect(run.exitCode).toBe(130);
});

test.runIf(script)('on a terminal what a handler says about its progress stands beside', async () => {
  await using set = await setUp();
  const at = (second: number) => `2026-03-01T10:00:0${second}.000Z`;
  const running = [
    {
      task: 1,
      attempt: 1,
      items: 1,
      executor: 'e',
      progress: { done: 1, total: 4, note: 'older', at: at(1) },
    },
    {
      task: 7,
      attempt: 1,
      items: 1,
      executor: 'e',
      progress: { done: 3, total: 4, note: 'page 3', at: at(2) },
    },
  ];
  set.platform.events = (_id, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`event: job\ndata: ${JSON.stringify(half)}\n\n`);
    response.write(`event: progress\ndata: ${JSON.stringify({ id: 12, running })}\n\n`);
  };
  const following = set.cli.startProgram(onTerminal('job show 12 --wait'));
  await following.until('task 7: 75 % (3 of 4)  page 3');
  following.child.stdin?.write('\u0003');
  expect((await following.ended).exitCode).toBe(130);
});

test.runIf(script)('on a terminal `job run` waits by itself', async () => {
  await using set = await setUp();
  set.platform.events = (_id, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`event: job\ndata: ${JSON.stringify(jobOf())}\n\n`);
  };
  const run = await set.cli.startProgram(onTerminal('job run fibonacci')).ended;
  expect(run.stdout).toContain('F(10) = ');
  expect(run.exitCode).toBe(0);
});

test.runIf(script)('a password that is typed is not shown', async () => {
  await using set = await setUp();
  const running = set.cli.startProgram(onTerminal('login --email ada@example.com'));
  await running.until('Password:');
  running.child.stdin?.write('correct horse\r');
  const run = await running.ended;
  expect(run.stdout).toContain('as ada@example.com');
  expect(run.stdout).not.toContain('horse');
  expect(set.platform.calls[0]?.variables).toMatchObject({ loginInput: { password: 'correct horse' } });
  expect(run.exitCode).toBe(0);
});

test.runIf(script)('a new password that is too short is refused before it is typed again', async () => {
  await using set = await setUp();
  const running = set.cli.startProgram(onTerminal('register --email ada@example.com'));
  await running.until('Password:');
  running.child.stdin?.write('short\r');
  await running.until('At least 8 characters');
  running.child.stdin?.write('\u0003');
  expect((await running.ended).stdout).not.toContain('Again:');
});

test.runIf(script)('Ctrl-C at the password ends with 130', async () => {
  await using set = await setUp();
  const running = set.cli.startProgram(onTerminal('login --email ada@example.com'));
  await running.until('Password:');
  running.child.stdin?.write('\u0003');
  const run = await running.ended;
  expect(run.stdout).toContain('Interrupted');
  expect(run.exitCode).toBe(130);
});

test.runIf(script)('a terminal without a size is no reason to hang', async () => {
  await using set = await setUp();
  const args = onTerminal('job run fibonacci --timeout 300ms').map((word) =>
    word.replace('columns 100 rows 30', 'columns 0 rows 0'),
  );
  expect((await set.cli.startProgram(args).ended).exitCode).toBe(6);
});
