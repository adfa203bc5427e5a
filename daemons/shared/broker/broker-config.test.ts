import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadDaemonConfig } from '@jobber/shared/config';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { brokerSection, currentToken, readBrokerConfig, topicOf } from './broker-config.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobber-broker-config-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readBrokerConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test('without a URL, or with an empty one, there is no broker, whatever else is set', () => {
  expect(readBrokerConfig({})).toBeUndefined();
  expect(readBrokerConfig({ PULSAR_SERVICE_URL: '', PULSAR_TOKEN: 'abc' })).toBeUndefined();
});

test('the scheme chooses the driver', () => {
  const driverOf = (url: string) => readBrokerConfig({ PULSAR_SERVICE_URL: url })?.driver;
  expect(driverOf('pulsar://localhost:6650')).toBe('native');
  expect(driverOf('pulsar+ssl://one:6651,two:6651')).toBe('native');
  expect(driverOf('ws://localhost:8080')).toBe('websocket');
  expect(driverOf('wss://[::1]:8443/behind/a/proxy/')).toBe('websocket');
});

test('topics lie in tenant and namespace, with the prefix in front of the slug', () => {
  const config = readBrokerConfig({
    PULSAR_SERVICE_URL: 'ws://localhost:8080/',
    PULSAR_TENANT: 'shop',
    PULSAR_NAMESPACE: 'jobs',
    PULSAR_TOPIC_PREFIX: 'blue-',
  });
  expect(config?.serviceUrl).toBe('ws://localhost:8080');
  expect(topicOf(config!, 'load-products')).toBe('persistent://shop/jobs/blue-load-products-jobs');
  const usual = readBrokerConfig({ PULSAR_SERVICE_URL: 'ws://localhost:8080' });
  expect(topicOf(usual!, 'fibonacci')).toBe('persistent://public/default/fibonacci-jobs');
});

test.each([
  'localhost:6650',
  'http://localhost:8080',
  'pulsar://',
  'pulsar://host:abc',
  'pulsar://one:6650,,two:6650',
  'pulsar://me:hunter2@host:6650',
  'ws://me:hunter2@host:8080',
  'ws://host:8080/?token=hunter2',
  'ws://host:99999',
  'ws:// host',
])('%s is no URL of a broker, and the sentence about it does not show it', (url) => {
  const [problem, ...others] = problemsOf({ PULSAR_SERVICE_URL: url });
  expect(others).toEqual([]);
  expect(problem).toMatch(/^PULSAR_SERVICE_URL must be a URL such as pulsar:\/\/.*; its value is not shown$/);
  expect(problem).not.toContain('hunter2');
});

test('every problem is told at once, by the name of its variable, and the token is not shown', () => {
  expect(
    problemsOf({
      PULSAR_SERVICE_URL: 'ftp://host',
      PULSAR_TOKEN: 'two words',
      PULSAR_TENANT: 'a/b',
      PULSAR_NAMESPACE: 'ä',
      PULSAR_TOPIC_PREFIX: 'a b',
    }),
  ).toEqual([
    expect.stringMatching(/^PULSAR_SERVICE_URL /),
    'PULSAR_TOKEN must be one line of 1 to 16384 visible ASCII characters; its value is not shown',
    expect.stringMatching(/^PULSAR_TENANT must have 1 to 100 letters.*; got "a\/b"$/),
    expect.stringMatching(/^PULSAR_NAMESPACE /),
    expect.stringMatching(/^PULSAR_TOPIC_PREFIX /),
  ]);
  expect(
    problemsOf({
      PULSAR_SERVICE_URL: 'ws://host:8080',
      PULSAR_TOKEN: 'abc',
      PULSAR_TOKEN_FILE: '/no/such/file',
      PULSAR_TLS_CA_FILE: '/no/such/file',
    }),
  ).toEqual([
    'PULSAR_TOKEN and PULSAR_TOKEN_FILE must not both be set',
    'PULSAR_TOKEN_FILE must name a readable file; got ENOENT',
    'PULSAR_TLS_CA_FILE needs a PULSAR_SERVICE_URL that begins with pulsar+ssl:// or wss://',
  ]);
});

test('a file that holds no token or no certificate is refused without showing it', () => {
  const problems = problemsOf({
    PULSAR_SERVICE_URL: 'wss://host:8443',
    PULSAR_TOKEN_FILE: file('two-lines', 'hunter2\nhunter3\n'),
    PULSAR_TLS_CA_FILE: file('no-pem', 'hunter2'),
  });
  expect(problems).toEqual([
    expect.stringMatching(/^PULSAR_TOKEN_FILE must hold a token.*; its content is not shown$/),
    'PULSAR_TLS_CA_FILE must hold certificates in PEM form',
  ]);
});

test('a token file is read for each connection, so that a renewed token counts', () => {
  const path = file('token', 'first\n');
  const config = readBrokerConfig({ PULSAR_SERVICE_URL: 'ws://host:8080', PULSAR_TOKEN_FILE: path });
  expect(currentToken(config!.token!)).toBe('first');
  file('token', 'second\n');
  expect(currentToken(config!.token!)).toBe('second');
});

test("a daemon's problems with the broker are told together with all others, and handlers do not see its secrets", () => {
  const SERVICE_SECRET = 'a-secret-for-tests-only-0123456789abcdef';
  const sections = { broker: brokerSection };
  expect(() => loadDaemonConfig({}, { PULSAR_SERVICE_URL: 'x' }, sections)).toThrow(
    expect.objectContaining({
      problems: [expect.stringContaining('SERVICE_SECRET'), expect.stringContaining('PULSAR_SERVICE_URL')],
    }),
  );
  const environment = {
    SERVICE_SECRET,
    PULSAR_SERVICE_URL: 'ws://host:8080',
    PULSAR_TOKEN: 'abc',
    KEPT: 'yes',
  };
  const config = loadDaemonConfig({}, environment, sections);
  expect(config.broker?.token).toEqual({ value: 'abc' });
  expect(config.publicEnvironment).toEqual({ KEPT: 'yes' });
});
