import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeTestCli } from '../testing/test-cli.ts';
import { refuse, startTestPlatform } from '../testing/test-platform.ts';

const login = ['login', '--email', 'ada@example.com', '--password-stdin'];

test('logs in with a password from a pipe; whoami and logout follow', async () => {
  await using platform = await startTestPlatform();
  using cli = makeTestCli(platform.url);
  const run = await cli.run(login, { input: 'correct horse\nignored\n' });
  expect(run).toMatchObject({
    exitCode: 0,
    stdout: `Logged in to ${platform.url} as ada@example.com\n`,
    stderr: '',
  });
  expect(platform.calls[0]?.variables).toEqual({
    loginInput: { email: 'ada@example.com', password: 'correct horse' },
  });
  expect(statSync(cli.home).mode & 0o777).toBe(0o700);
  expect(statSync(join(cli.home, 'credentials.json')).mode & 0o777).toBe(0o600);
  expect((await cli.run(['whoami', '--json'])).json()).toMatchObject({
    email: 'ada@example.com',
    server: platform.url,
  });
  expect((await cli.run(['logout'])).exitCode).toBe(0);
  expect(platform.calls.at(-1)).toMatchObject({ operation: 'Logout', authorization: 'Bearer access-1' });
  expect((await cli.run(['whoami'])).exitCode).toBe(3);
});

test('the tokens are not printed, not even as JSON', async () => {
  await using platform = await startTestPlatform();
  using cli = makeTestCli(platform.url);
  const run = await cli.run([...login, '--json'], { input: 'correct horse\n' });
  expect(run.json()).toMatchObject({ email: 'ada@example.com', profile: 'local', server: platform.url });
  expect(run.stdout).not.toMatch(/access-1|refresh-1|correct horse/);
});

test('wrong credentials end with 3 and keep nothing', async () => {
  await using platform = await startTestPlatform();
  using cli = makeTestCli(platform.url);
  platform.answers['Login'] = () => refuse(401, 'CREDENTIALS_INVALID', 'Credentials are invalid');
  const run = await cli.run(login, { input: 'wrong\n' });
  expect(run.exitCode).toBe(3);
  expect(run.stderr).toBe(
    `Error: Credentials are invalid (${platform.url}): check the email address and the password\n`,
  );
  expect(() => readFileSync(join(cli.home, 'credentials.json'))).toThrow('ENOENT');
});

test('without a terminal and without --password-stdin it says so and asks nothing', async () => {
  await using platform = await startTestPlatform();
  using cli = makeTestCli(platform.url);
  const run = await cli.run(['login', '--email', 'ada@example.com']);
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toContain(
    'There is no terminal to ask for the password: pipe it in with --password-stdin',
  );
  expect(await cli.run(['login'])).toMatchObject({ exitCode: 2, stderr: 'Error: --email is missing\n' });
  expect(await cli.run(login)).toMatchObject({ exitCode: 2, stderr: 'Error: The password is empty\n' });
  expect(platform.calls).toEqual([]);
});

test('with --profile and --server the platform is remembered and used from then on', async () => {
  await using platform = await startTestPlatform();
  using cli = makeTestCli();
  const address = ['--profile', 'prod', '--server', platform.url];
  expect((await cli.run([...login, ...address], { input: 'correct horse\n' })).exitCode).toBe(0);
  const run = await cli.run(['whoami']);
  expect(run.stdout).toBe(`ada@example.com (member) at ${platform.url}, profile prod\n`);
});

test('the setup token of the local profile is used once, and goes to no other server', async () => {
  await using platform = await startTestPlatform();
  await using other = await startTestPlatform();
  using cli = makeTestCli();
  const { writePrivateFile } = await import('../session/private-file.ts');
  const addresses = { auth: platform.url, jobs: platform.url, products: platform.url };
  const profiles = { current: 'local', profiles: { local: { ...addresses, setupToken: 'once' } } };
  writePrivateFile(join(cli.home, 'profiles.json'), JSON.stringify(profiles));
  const register = ['register', '--email', 'ada@example.com', '--password-stdin'];
  const tokensOf = ({ calls }: typeof platform) =>
    calls.map(({ variables }) => (variables['createUserInput'] as { setupToken?: string }).setupToken);
  await cli.run([...register, '--server', other.url], { input: 'correct horse\n' });
  expect(tokensOf(other)).toEqual([undefined]);
  await cli.run(register, { input: 'correct horse\n' });
  await cli.run(register, { input: 'correct horse\n' });
  expect(tokensOf(platform)).toEqual(['once', undefined]);
});
