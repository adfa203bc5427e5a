import { expect, test } from 'vitest';
import { makeTestCli } from '../../testing/test-cli.ts';
import { startTestPlatform } from '../../testing/test-platform.ts';

test('where a category finds nothing, the one that was meant is told, and only to people', async () => {
  await using platform = await startTestPlatform();
  await using cli = makeTestCli(platform.url);
  cli.loginTo(platform.url);
  const near = await cli.run(['products', 'list', '--category', 'grocery']);
  expect(near).toMatchObject({
    exitCode: 0,
    stdout: 'No products\n',
    stderr: 'grocery is no category with a charge. Did you mean Grocery?\n',
  });
  const known = await cli.run(['products', 'list', '--category', 'Grocery']);
  expect(known).toMatchObject({ stdout: 'No products\n', stderr: '' });
  const program = await cli.run(['products', 'list', '--category', 'grocery', '--json']);
  expect(program).toMatchObject({ exitCode: 0, stdout: '[]\n', stderr: '' });
});
