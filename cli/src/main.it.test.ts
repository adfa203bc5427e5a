import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeTestCli, type Run, shim } from './testing/test-cli.ts';
import { refuse, startTestPlatform } from './testing/test-platform.ts';

interface ErrorJson {
  error: { message: string; code: number | null; reason: string; exitCode: number };
}

async function listen(server: Server): Promise<{ port: number } & AsyncDisposable> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { port, [Symbol.asyncDispose]: close };
}

function expectFailure(run: Run, exitCode: number, message: string | RegExp): void {
  expect(run.stdout).toBe('');
  expect(run.stderr.split('\n')[0]).toMatch(message);
  expect(run.exitCode).toBe(exitCode);
}

test('words that are no command are refused with what was probably meant, as text and as JSON', async () => {
  using cli = makeTestCli();
  expectFailure(
    await cli.run(['jbo', 'list']),
    2,
    'Error: There is no command jbo list. Did you mean jobber job list?',
  );
  expectFailure(
    await cli.run(['xyzzy']),
    2,
    'Error: There is no command xyzzy. jobber --help lists the commands',
  );
  const run = await cli.run(['lgoin', '--json']);
  expect(run.exitCode).toBe(2);
  expect(run.json()).toMatchObject({ error: { reason: 'UNKNOWN_COMMAND', exitCode: 2 } });
});

test('wrong use of a command ends with 2 and one line', async () => {
  using cli = makeTestCli();
  expectFailure(
    await cli.run(['job', 'list', '--stauts', 'x']),
    2,
    'There is no flag --stauts. Did you mean --status?',
  );
  expectFailure(await cli.run(['job', 'show']), 2, 'Error: <id> is missing. See jobber job show --help');
  expectFailure(await cli.run(['whoami', 'x']), 2, 'Error: "x" is one argument too many.');
  expectFailure(await cli.run(['job', 'list', '--limit']), 2, 'Error: Flag --limit expects a value');
  expectFailure(
    await cli.run(['job', 'list', '--limit', '0']),
    2,
    '--limit must be a whole number from 1 to 200: "0"',
  );
  expectFailure(await cli.run(['job', 'show', '1.5']), 2, 'The id of a job must be a whole number');
  expectFailure(await cli.run(['whoami', '--server', 'ftp://x']), 2, 'is not an http:// or https:// address');
  expectFailure(await cli.run(['whoami', '--profile', 'prod']), 2, 'There is no profile prod');
});

test.each([
  [['job', '--json']],
  [['--json']],
  [['job', 'list', '--nope', '--json']],
  [['job', 'show', '--json']],
  [['login', '--json', '--email', 'nonsense']],
  [['products', 'load', 'none.json', '--json']],
  [['whoami', '--json']],
])('with --json stdout of %j is JSON, and nothing but', async (args) => {
  using cli = makeTestCli();
  const run = await cli.run(args);
  const { error } = run.json() as ErrorJson;
  expect(error.exitCode).toBe(run.exitCode);
  expect(error.message).not.toBe('');
  expect(run.stderr).toBe('');
});

test('up takes no address of a platform elsewhere', async () => {
  using cli = makeTestCli();
  expectFailure(
    await cli.run(['up', '--server', 'http://x:1']),
    2,
    'Error: --server is of no use here: jobber up starts a platform on this machine',
  );
});

test('not logged in ends with 3 and says what to type, before any request', async () => {
  using cli = makeTestCli();
  expectFailure(
    await cli.run(['job', 'list']),
    3,
    'Error: Not logged in to http://127.0.0.1:3000 (profile local): run jobber login',
  );
  expectFailure(
    await cli.run(['job', 'list', '--server', 'http://x:1']),
    3,
    'Error: Not logged in to http://x:1 (profile local): run jobber login --server http://x:1',
  );
});

test.each([
  [401, 'TOKEN_INVALID', 3],
  [403, 'FORBIDDEN', 4],
  [404, 'JOB_NOT_FOUND', 4],
  [409, 'JOB_ENDED', 5],
  [413, 'TOO_LARGE', 5],
  [429, 'THROTTLED', 5],
  [500, 'INTERNAL', 5],
  [400, 'INVALID_INPUT', 2],
])('a refusal with code %i (%s) ends with %i', async (code, reason, exitCode) => {
  await using platform = await startTestPlatform();
  using cli = makeTestCli(platform.url);
  cli.loginTo(platform.url);
  platform.answers['Cancel'] = () => refuse(code, reason, 'No way.');
  const run = await cli.run(['job', 'cancel', '12', '--json']);
  expect(run.exitCode).toBe(exitCode);
  expect(run.json()).toMatchObject({
    error: { message: expect.stringMatching(/^No way/), code, reason, exitCode },
  });
});

test('a server that is away for a moment is asked again; one that stays away ends with 6', async () => {
  await using platform = await startTestPlatform();
  using cli = makeTestCli(platform.url);
  cli.loginTo(platform.url);
  const jobs = platform.answers['Jobs']!;
  let calls = 0;
  platform.answers['Jobs'] = (variables, call) => {
    calls += 1;
    return calls === 1 ? refuse(503, 'UNAVAILABLE', 'The database is away') : jobs(variables, call);
  };
  expect((await cli.run(['job', 'list'])).exitCode).toBe(0);
  platform.answers['Jobs'] = () => refuse(503, 'UNAVAILABLE', 'The database is away');
  expectFailure(
    await cli.run(['job', 'list']),
    6,
    `Error: The database is away (${platform.url}): try again`,
  );
});

test('nothing at the address: the sentence names it', async () => {
  // A port that nobody is given by chance.
  const url = 'http://127.0.0.1:1';
  using cli = makeTestCli(url);
  cli.loginTo(url);
  expectFailure(await cli.run(['whoami']), 6, `Error: Nothing answers at ${url} (connection refused)`);
});

test('something else at the address: HTML, redirects, other protocols and silence have their own sentences', async () => {
  using cli = makeTestCli();
  const answers: Record<string, [number, Record<string, string>, string]> = {
    '/html': [200, { 'content-type': 'text/html' }, '<html>'],
    '/missing': [404, { 'content-type': 'text/plain' }, 'no'],
    '/gateway': [502, { 'content-type': 'text/html' }, '<html>'],
    '/empty': [200, { 'content-type': 'application/json' }, ''],
    '/moved': [302, { location: 'https://evil.example/' }, ''],
  };
  await using web = await listen(
    createServer((request, response) => {
      const [status, headers, body] = answers[`/${request.url?.split('/')[1]}`]!;
      response.writeHead(status, headers).end(body);
    }),
  );
  const origin = `http://127.0.0.1:${web.port}`;
  const ask = (path: string) => {
    cli.loginTo(`${origin}${path}`);
    return cli.run(['whoami', '--server', `${origin}${path}`]);
  };
  expectFailure(
    await ask('/html'),
    6,
    `Error: ${origin} does not answer as a jobber server: /html/auth/graphql gave an HTML page (HTTP 200)`,
  );
  expectFailure(await ask('/missing'), 6, 'gave something that is not JSON (HTTP 404)');
  expectFailure(
    await ask('/gateway'),
    6,
    `Error: ${origin} is not available at the moment (HTTP 502): try again`,
  );
  expectFailure(await ask('/empty'), 6, 'gave nothing (HTTP 200)');
  expectFailure(
    await ask('/moved'),
    6,
    `Error: ${origin} redirects to https://evil.example/, and redirects are not followed`,
  );
});

test('a port that speaks something else', async () => {
  using cli = makeTestCli();
  await using other = await listen(
    createTcpServer((socket) => {
      socket
        .on('error', () => {})
        .resume()
        .end('SSH-2.0-OpenSSH\r\n');
    }),
  );
  const url = `http://127.0.0.1:${other.port}`;
  cli.loginTo(url);
  expectFailure(
    await cli.run(['whoami', '--server', url]),
    6,
    `Error: What answers at ${url} does not speak HTTP`,
  );
  const tls = `https://127.0.0.1:${other.port}`;
  cli.loginTo(tls);
  expectFailure(
    await cli.run(['whoami', '--server', tls]),
    6,
    `Error: What answers at ${tls} does not speak TLS`,
  );
});

test('a certificate that nobody vouches for is refused', async () => {
  using cli = makeTestCli();
  mkdirSync(cli.home);
  const [key, cert] = [join(cli.home, 'key.pem'), join(cli.home, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-days', '1'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject],
    { stdio: 'ignore' },
  );
  await using server = await listen(createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }));
  const url = `https://localhost:${server.port}`;
  cli.loginTo(url);
  expectFailure(
    await cli.run(['whoami', '--server', url]),
    6,
    `Error: The certificate of ${url} is not signed by an authority`,
  );
});

test('escape sequences that a server sends are not printed', async () => {
  await using platform = await startTestPlatform();
  using cli = makeTestCli(platform.url);
  cli.loginTo(platform.url);
  const hostile = '\u001b]0;owned\u0007\u001b[31mGrocery\u009b2J';
  platform.answers['Categories'] = () => ({ categories: [{ name: hostile, charge: '2' }] });
  platform.answers['Me'] = () => refuse(403, '\u001b[2J', `${hostile}\nsecond line`);
  for (const args of [
    ['categories', 'list'],
    ['whoami'],
    ['categories', 'list', '--json'],
    ['whoami', '--json'],
  ]) {
    const run = await cli.run(args);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(`${run.stdout}${run.stderr}`).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(`${run.stdout}${run.stderr}`).toContain('Grocery');
  }
});

test('a list has as many rows as the platform gives at once, and no more are asked for', async () => {
  using cli = makeTestCli();
  for (const list of [
    ['job', 'list'],
    ['products', 'list'],
    ['dead-letter', 'list'],
  ]) {
    const tooMany = await cli.run([...list, '--limit', '201']);
    expectFailure(tooMany, 2, 'Error: --limit must be a whole number from 1 to 200: "201" is too large');
    // Nobody is logged in: that is looked at after what was typed.
    expect(await cli.run([...list, '--limit', '200'])).toMatchObject({ exitCode: 3 });
  }
});

test.runIf(existsSync('/dev/full'))(
  'output that can not be written is told in one line, and a reader who has seen enough is no error',
  async () => {
    using cli = makeTestCli();
    const inShell = (script: string) => cli.startProgram(['sh', '-c', script, process.execPath, shim]).ended;
    for (const command of ['version', 'version --json', '--help']) {
      const full = await inShell(`"$0" "$1" ${command} > /dev/full`);
      expectFailure(full, 1, "Error: The output can't be written: the disk is full");
    }
    expect(await inShell('"$0" "$1" --help | true')).toMatchObject({ exitCode: 0, stderr: '' });
  },
);

test('damaged credentials are named with what to do; those that others can read are closed', async () => {
  await using platform = await startTestPlatform();
  using cli = makeTestCli(platform.url);
  cli.loginTo(platform.url);
  const path = join(cli.home, 'credentials.json');
  chmodSync(path, 0o644);
  const run = await cli.run(['whoami']);
  expect(run.exitCode).toBe(0);
  expect(run.stderr).toContain('Warning: ');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  writeFileSync(path, '{"cred');
  expectFailure(
    await cli.run(['whoami']),
    2,
    `Error: ${path} is damaged and can't be used: delete it and log in again`,
  );
});

test('an older Node hands over to the one that came along', async () => {
  using cli = makeTestCli();
  // Pretends to be Node 20; the process that is started is a real one.
  const old = `Object.defineProperty(process.versions,'node',{value:'20.1.0'});process.argv[1]=${JSON.stringify(shim)}`;
  const preload = join(cli.home, 'old.cjs');
  mkdirSync(cli.home);
  writeFileSync(preload, old);
  const run = execFileSync(process.execPath, ['--require', preload, shim, 'version', '--json'], {
    encoding: 'utf8',
  });
  expect(JSON.parse(run)).toMatchObject({ name: 'jobber', node: expect.stringMatching(/^24\./) });
});

test('the overview, the help of every topic and the version end with 0', async () => {
  using cli = makeTestCli();
  for (const args of [
    [],
    ['--help'],
    ['-h'],
    ['help'],
    ['job'],
    ['products', '--help'],
    ['help', 'job', 'run'],
    ['--version'],
    ['-v'],
    ['version'],
  ]) {
    const run = await cli.run(args);
    expect(run.exitCode, args.join(' ')).toBe(0);
    expect(run.stderr, args.join(' ')).toBe('');
    expect(run.stdout, args.join(' ')).toMatch(/jobber/);
  }
});
