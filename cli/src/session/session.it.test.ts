import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeTestCli } from '../testing/test-cli.ts';
import { refuse, startTestPlatform, TOKENS } from '../testing/test-platform.ts';

const EXPIRED = { expiresAt: '2020-01-01T00:00:00.000Z' };

test('a token that has expired is renewed silently, and the new ones are kept', async () => {
  await using platform = await startTestPlatform();
  using cli = makeTestCli(platform.url);
  cli.loginTo(platform.url, EXPIRED);
  const run = await cli.run(['whoami']);
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  expect(platform.calls.map(({ operation, authorization }) => [operation, authorization])).toEqual([
    ['Refresh', undefined],
    ['Me', 'Bearer access-2'],
  ]);
  expect((await cli.run(['whoami'])).exitCode).toBe(0);
  expect(platform.calls.filter(({ operation }) => operation === 'Refresh')).toHaveLength(1);
});

test('a token that the server no longer takes is renewed once', async () => {
  await using platform = await startTestPlatform();
  using cli = makeTestCli(platform.url);
  cli.loginTo(platform.url);
  const me = platform.answers['Me']!;
  platform.answers['Me'] = (variables, call) =>
    call.authorization === 'Bearer access-2'
      ? me(variables, call)
      : refuse(401, 'TOKEN_INVALID', 'Unauthorized');
  expect((await cli.run(['whoami'])).exitCode).toBe(0);
});

test('processes that renew at the same moment use a refresh token once', async () => {
  await using platform = await startTestPlatform();
  using cli = makeTestCli(platform.url);
  cli.loginTo(platform.url, EXPIRED);
  const used = new Set<unknown>();
  const refresh = platform.answers['Refresh']!;
  platform.answers['Refresh'] = (variables, call) => {
    if (used.has(variables['refreshToken'])) refuse(401, 'TOKEN_INVALID', 'Unauthorized');
    used.add(variables['refreshToken']);
    return refresh(variables, call);
  };
  const runs = await Promise.all(Array.from({ length: 5 }, () => cli.run(['whoami'])));
  expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0, 0]);
  expect(used.size).toBe(1);
});

test('a session that has ended says so, ends with 3 and is forgotten', async () => {
  await using platform = await startTestPlatform();
  using cli = makeTestCli(platform.url);
  cli.loginTo(platform.url, EXPIRED);
  platform.answers['Refresh'] = () => refuse(401, 'TOKEN_INVALID', 'Unauthorized');
  const run = await cli.run(['whoami']);
  expect(run.exitCode).toBe(3);
  expect(run.stderr).toBe(
    `Error: The session of ada@example.com at ${platform.url} has ended: run jobber login\n`,
  );
  expect(readFileSync(join(cli.home, 'credentials.json'), 'utf8')).not.toContain(TOKENS.refreshToken);
});

test('tokens are not sent to an origin that they did not come from', async () => {
  await using platform = await startTestPlatform();
  await using other = await startTestPlatform();
  using cli = makeTestCli(platform.url);
  cli.loginTo(platform.url);
  expect((await cli.run(['whoami', '--server', other.url])).exitCode).toBe(3);
  expect((await cli.run(['job', 'list'], { env: { JOBBER_SERVER: other.url } })).exitCode).toBe(3);
  expect(other.calls).toEqual([]);
});

test('a redirect is not followed with the tokens', async () => {
  await using platform = await startTestPlatform();
  await using other = await startTestPlatform();
  using cli = makeTestCli(platform.url);
  cli.loginTo(platform.url);
  platform.before = (_request, response) => {
    response.writeHead(307, { location: `${other.url}/auth/graphql` }).end();
    return true;
  };
  expect((await cli.run(['whoami'])).exitCode).toBe(6);
  expect(other.calls).toEqual([]);
});
