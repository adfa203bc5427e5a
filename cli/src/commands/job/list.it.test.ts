import { expect, test } from 'vitest';
import { startLoggedIn } from '../../testing/logged-in.ts';
import { refuse } from '../../testing/test-platform.ts';

test.each([
  { command: ['job', 'list'], operation: 'Jobs' },
  { command: ['dead-letter', 'list'], operation: 'DeadLetters' },
])('$command: a type that does not exist is answered with the one that was meant', async (of) => {
  await using set = await startLoggedIn();
  set.platform.answers[of.operation] = () => refuse(404, 'JOB_TYPE_NOT_FOUND', 'Job not found: fibonaci');
  const run = await set.cli.run([...of.command, '--type', 'fibonacci', '--type', 'fibonaci']);
  expect(run).toMatchObject({
    exitCode: 2,
    stderr: 'Error: There is no job type fibonaci. Did you mean fibonacci? Known types: fibonacci\n',
  });
});

test('a status that does not exist ends without a full stop, or with the one that was meant', async () => {
  await using set = await startLoggedIn();
  const nothingNear = await set.cli.run(['job', 'list', '--status', 'xyzzy']);
  expect(nothingNear.stderr).toMatch(/"xyzzy" is none of them\n$/);
  const near = await set.cli.run(['job', 'list', '--status', 'complete']);
  expect(near.stderr).toMatch(/"complete" is none of them\. Did you mean completed\?\n$/);
});
