import { expect, test } from 'vitest';
import { daemonEnvironment } from './daemon-environment.ts';
import { DAEMONS } from './daemon-programs.ts';
import { platformPorts } from './platform-ports.ts';

const settings = {
  ports: platformPorts(undefined),
  serviceSecret: 'secret',
  setupToken: undefined,
  databaseUrls: { auth: 'postgres://a', jobs: 'postgres://j', products: 'postgres://p' },
  uploadsDir: '/uploads',
  nodeEnv: 'production',
} as const;

test('Jobs and the executor are told of the broker of the platform, and nobody else is', () => {
  const told = DAEMONS.filter(
    (name) =>
      daemonEnvironment(name, { ...settings, brokerUrl: 'ws://b:1' }, {})['PULSAR_SERVICE_URL'] ===
      'ws://b:1',
  );
  expect(told).toEqual(['jobs', 'executor']);
});

test('without one they keep the broker that the user has set', () => {
  const inherited = { PULSAR_SERVICE_URL: 'ws://mine:1' };
  expect(daemonEnvironment('jobs', settings, inherited)['PULSAR_SERVICE_URL']).toBe('ws://mine:1');
  expect(daemonEnvironment('jobs', settings, {})['PULSAR_SERVICE_URL']).toBeUndefined();
});
