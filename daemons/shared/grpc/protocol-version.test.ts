import { AuthServiceDefinition } from '@jobber/proto/auth/v1/auth';
import { createScope } from '@jobber/shared/lifecycle';
import { createLogger } from '@jobber/shared/log';
import { createChannel, createClient, Metadata } from 'nice-grpc';
import { afterAll, expect, test } from 'vitest';
import { createGrpcClient } from './grpc-client.ts';
import { serveGrpc } from './grpc-server.ts';
import { protocolProblem } from './protocol-version.ts';
import { credentialOf } from './service-credential.ts';
import { authServiceForTests } from './testing/index.ts';

const SECRET = '0f4a8c1d9e7b36251a2b3c4d5e6f7081';
const log = createLogger({ daemon: 'test', level: 'silent' });
const scope = createScope(log);
afterAll(() => scope.release());

test('a caller between the oldest and the newest version is understood, and one without a version speaks the first', () => {
  const ours = { oldest: 2, newest: 4 };
  expect(['2', '3', '4'].map((sent) => protocolProblem('executor', sent, ours))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(protocolProblem('executor', undefined, { oldest: 1, newest: 4 })).toBeUndefined();
});

test('a sentence says which side to upgrade', () => {
  const ours = { oldest: 2, newest: 4 };
  expect(protocolProblem('executor', '1', ours)).toBe(
    'executor speaks version 1 of the protocol, this daemon 2 to 4: upgrade executor',
  );
  expect(protocolProblem('executor', undefined, ours)).toMatch(/upgrade executor$/);
  expect(protocolProblem('executor', '5', ours)).toBe(
    'executor speaks version 5 of the protocol, this daemon 2 to 4: upgrade this daemon, or run an older executor',
  );
  expect(protocolProblem('jobs', 'x', { oldest: 1, newest: 1 })).toMatch(/this daemon 1: upgrade jobs$/);
});

test('calls of this build are served, and those of a later protocol refused before anything is done', async () => {
  let served = 0;
  const port = await serveGrpc({
    host: '127.0.0.1',
    port: 0,
    serviceSecret: SECRET,
    tls: undefined,
    services: [
      authServiceForTests(() => {
        served += 1;
      }),
    ],
    scope,
    log,
  });
  const address = `127.0.0.1:${port}`;
  const options = { address, caller: 'jobs', serviceSecret: SECRET, tls: undefined, scope } as const;
  await createGrpcClient(AuthServiceDefinition, options).authenticateMany({ tokens: [] });
  expect(served).toBe(1);

  const channel = createChannel(address);
  scope.defer('channel', () => channel.close());
  const metadata = new Metadata({
    'x-jobber-caller': 'jobs',
    'x-jobber-credential': credentialOf('jobs', SECRET),
    'x-jobber-protocol': '999',
  });
  const later = createClient(AuthServiceDefinition, channel).authenticateMany({ tokens: [] }, { metadata });
  await expect(later).rejects.toThrow(/FAILED_PRECONDITION: jobs speaks version 999.*upgrade this daemon/);
  expect(served).toBe(1);
});
