// How the drivers bear a broker that breaks or refuses. It asks for tokens; its own one, because it is killed.
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '@jobber/compose/free-port';
import { type PulsarBroker, startPulsar } from '@jobber/compose/pulsar';
import type { TestTransport } from '@jobber/compose/test-broker-setup';
import { type Broker, openBroker, readBrokerConfig } from '@jobber/shared/broker';
import { createLogger } from '@jobber/shared/log';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import { makeAuthority, type TestAuthority } from './test-authority.ts';

const log = createLogger({ daemon: 'test', level: 'silent' });
/** It is given up after 4 s; what the machine stands still comes on top. */
const SOON_MS = 20_000;
const PATIENCE = { timeout: 90_000, interval: 50 };
const KEY = randomBytes(32);
const ADMIN = tokenOf('admin');

let folder: string;
let pulsar: PulsarBroker;
let authority: TestAuthority;
/** `wss://` and `pulsar+ssl://`, with a certificate for 127.0.0.1. */
let tlsPorts: Record<TestTransport['driver'], number>;
let proxy: TcpProxy;
let prefix: string;
const brokers: Broker[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'jobber-broken-broker-'));
  authority = makeAuthority(folder, 'authority');
  const { certificateFile, keyFile } = authority.issue('IP:127.0.0.1');
  tlsPorts = { websocket: await findFreePort(), native: await findFreePort() };
  pulsar = await startPulsar({
    dataDir: join(folder, 'data'),
    adminToken: ADMIN,
    environment: process.env,
    settings: {
      authenticationEnabled: 'true',
      authenticationProviders: 'org.apache.pulsar.broker.authentication.AuthenticationProviderToken',
      tokenSecretKey: `data:;base64,${KEY.toString('base64')}`,
      authorizationEnabled: 'true',
      superUserRoles: 'admin',
      brokerClientAuthenticationPlugin: 'org.apache.pulsar.client.impl.auth.AuthenticationToken',
      brokerClientAuthenticationParameters: `token:${ADMIN}`,
      webServicePortTls: String(tlsPorts.websocket),
      brokerServicePortTls: String(tlsPorts.native),
      tlsCertificateFilePath: certificateFile,
      tlsKeyFilePath: keyFile,
    },
  });
  proxy = await startTcpProxy(pulsar.webPort);
});
afterAll(async () => {
  await proxy?.close();
  await pulsar?.stop();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => {
  prefix = `t${randomBytes(5).toString('hex')}-`;
});
afterEach(async () => {
  proxy.heal();
  await Promise.all(brokers.splice(0).map((broker) => broker.close()));
});

function tokenOf(role: string): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg: 'HS256' })}.${encode({ sub: role })}`;
  return `${signed}.${createHmac('sha256', KEY).update(signed).digest('base64url')}`;
}

/** Why a part can't be used; 'usable' when it can. */
function stateOf(part: { check(): Promise<void> }): Promise<string> {
  return part.check().then(
    () => 'usable',
    (error: Error) => error.message,
  );
}

async function admin(method: string, path: string, body?: unknown): Promise<void> {
  const response = await fetch(`${pulsar.adminUrl}/admin/v2${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}

async function openRaw(path: string): Promise<WebSocket> {
  const socket = new WebSocket(
    `${pulsar.serviceUrl}/ws/v2/${path}${path.includes('?') ? '&' : '?'}token=${ADMIN}`,
  );
  await once(socket, 'open');
  return socket;
}

describe.each(inject('jobberTestTransports'))('by $driver', ({ driver }) => {
  const overWebSocket = driver === 'websocket';

  async function connect(settings: Record<string, string> = { PULSAR_TOKEN: ADMIN }): Promise<Broker> {
    const config = readBrokerConfig({
      PULSAR_SERVICE_URL: overWebSocket ? `ws://127.0.0.1:${proxy.port}` : pulsar.binaryUrl,
      PULSAR_TOPIC_PREFIX: prefix,
      ...settings,
    });
    if (!config) throw new Error('there is a URL');
    const broker = await openBroker(config, log);
    brokers.push(broker);
    return broker;
  }

  /** Nothing comes from the broker any more, and connections stay open. Its clients of the binary protocol pass by a proxy. */
  function silence(): void {
    if (overWebSocket) proxy.inject({ kind: 'black hole' });
    else process.kill(pulsar.pid, 'SIGSTOP');
  }

  function endSilence(): void {
    if (overWebSocket) proxy.heal();
    else process.kill(pulsar.pid, 'SIGCONT');
  }

  test('after the broker was killed and is there again, what was confirmed arrives, without a restart of the clients', async () => {
    const broker = await connect();
    const publisher = broker.openPublisher('echo');
    const seen = new Set<string>();
    const consumer = broker.subscribe('echo', ({ body }) => seen.add(body.toString()));
    await expect.poll(() => stateOf(consumer), PATIENCE).toBe('usable');
    expect(await publisher.publish([Buffer.from('before')])).toEqual([true]);

    await pulsar.kill();
    await expect
      .poll(() => stateOf(publisher), PATIENCE)
      .toMatch(/^the (broker (can't be reached|has ended|does not answer)|connection to the broker is lost)/);
    const asked = performance.now();
    expect(await publisher.publish([Buffer.from('during')])).toEqual([false]);
    expect(performance.now() - asked).toBeLessThan(SOON_MS);
    // It is asked for while nobody is there: that survives.
    consumer.grant(3);

    await pulsar.restart();
    await expect.poll(() => stateOf(consumer), PATIENCE).toBe('usable');
    await expect.poll(() => [...seen], PATIENCE).toContain('before');
    await expect.poll(() => stateOf(publisher), PATIENCE).toBe('usable');
    await expect.poll(() => publisher.publish([Buffer.from('after')]), PATIENCE).toEqual([true]);
    await expect.poll(() => [...seen], PATIENCE).toContain('after');
  });

  test('a broker that swallows everything is noticed, publishing ends in time, and all goes on once it heals', async () => {
    const broker = await connect();
    const publisher = broker.openPublisher('echo');
    const seen = new Set<string>();
    const consumer = broker.subscribe('echo', (message) => {
      seen.add(message.body.toString());
      consumer.ack(message);
    });
    consumer.grant(100);
    await expect.poll(() => publisher.publish([Buffer.from('before')]), PATIENCE).toEqual([true]);

    silence();
    const asked = performance.now();
    const answers = await publisher.publish([Buffer.from('lost')]);
    expect(answers).toEqual([false]);
    expect(performance.now() - asked).toBeLessThan(SOON_MS);
    const noticed =
      /has not answered for 15 s|can't be reached|does not answer|connection to the broker is lost/;
    await expect.poll(() => stateOf(publisher), PATIENCE).toMatch(noticed);
    await expect.poll(() => stateOf(consumer), PATIENCE).toMatch(noticed);

    endSilence();
    await expect.poll(() => publisher.publish([Buffer.from('after')]), PATIENCE).toEqual([true]);
    await expect.poll(() => [...seen], PATIENCE).toEqual(expect.arrayContaining(['before', 'after']));
  });

  test('over TLS an authority of one’s own is trusted, and nothing else is talked to', async () => {
    const scheme = overWebSocket ? 'wss' : 'pulsar+ssl';
    const sealed = `${scheme}://127.0.0.1:${tlsPorts[driver]}`;
    const connectTo = (url: string, caFile: string) =>
      connect({ PULSAR_SERVICE_URL: url, PULSAR_TLS_CA_FILE: caFile, PULSAR_TOKEN: ADMIN });
    const seen: string[] = [];
    const trusting = await connectTo(sealed, authority.certificateFile);
    const consumer = trusting.subscribe('echo', (message) => {
      seen.push(message.body.toString());
      consumer.ack(message);
    });
    consumer.grant(1);
    const publisher = trusting.openPublisher('echo');
    await expect.poll(() => publisher.publish([Buffer.from('sealed')]), PATIENCE).toEqual([true]);
    await expect.poll(() => seen, PATIENCE).toEqual(['sealed']);

    // The official client does not tell one from the other.
    const noTls = /^no TLS connection to the broker comes about .*PULSAR_TLS_CA_FILE/;
    const stranger = makeAuthority(folder, 'stranger').certificateFile;
    const plainPort = overWebSocket ? pulsar.webPort : pulsar.port;
    for (const [url, caFile, problem] of [
      [
        sealed,
        stranger,
        overWebSocket ? /not signed by an authority that is trusted.*PULSAR_TLS_CA_FILE/ : noTls,
      ],
      [
        `${scheme}://localhost:${tlsPorts[driver]}`,
        authority.certificateFile,
        overWebSocket ? /certificate belongs to another host/ : noTls,
      ],
      [
        `${scheme}://127.0.0.1:${plainPort}`,
        authority.certificateFile,
        overWebSocket ? /does not speak TLS.*use ws:/ : noTls,
      ],
    ] as const) {
      const refused = (await connectTo(url, caFile)).openPublisher('echo');
      await expect.poll(() => stateOf(refused), PATIENCE).toMatch(problem);
    }
  });

  test('a token that is refused is told without showing it, and a renewed file of it is enough', async () => {
    const file = join(folder, `${prefix}token`);
    const bad = `${ADMIN.slice(0, -8)}AAAAAAAA`;
    writeFileSync(file, bad);
    const broker = await connect({ PULSAR_TOKEN_FILE: file });
    const publisher = broker.openPublisher('echo');
    const consumer = broker.subscribe('echo', () => {});
    for (const part of [publisher, consumer]) {
      await expect
        .poll(() => stateOf(part), PATIENCE)
        .toMatch(/^the broker (refuses the token \(401|does not answer, or refuses the token)/);
      expect(await stateOf(part)).not.toContain(bad.slice(-20));
    }
    writeFileSync(file, ADMIN);
    await expect.poll(() => stateOf(publisher), PATIENCE).toBe('usable');
    await expect.poll(() => stateOf(consumer), PATIENCE).toBe('usable');
  });

  test('a token without the right to the topic is told so', async () => {
    const broker = await connect({ PULSAR_TOKEN: tokenOf('stranger') });
    const publisher = broker.openPublisher('echo');
    const consumer = broker.subscribe('echo', () => {});
    const noRight = /^the token does not allow/;
    await expect.poll(() => stateOf(publisher), PATIENCE).toMatch(noRight);
    await expect.poll(() => stateOf(consumer), PATIENCE).toMatch(noRight);
  });

  test("another program's exclusive hold on the subscription is told, and its end is enough", async () => {
    const topic = `persistent/public/default/${prefix}echo-jobs`;
    const other = await openRaw(`consumer/${topic}/jobber-executors?subscriptionType=Exclusive`);
    const consumer = (await connect()).subscribe('echo', () => {});
    await expect.poll(() => stateOf(consumer), PATIENCE).toMatch(/^another program holds the subscription/);
    other.close();
    await expect.poll(() => stateOf(consumer), PATIENCE).toBe('usable');
  });

  test('a topic with a schema of somebody else is told where the broker insists on schemas', async () => {
    await admin('PUT', '/namespaces/public/strict', {});
    await admin('POST', '/namespaces/public/strict/schemaValidationEnforced', true);
    await admin('POST', `/schemas/public/strict/${prefix}echo-jobs/schema`, {
      type: 'AVRO',
      schema: '{"type":"record","name":"Foreign","fields":[{"name":"id","type":"string"}]}',
      properties: {},
    });
    const broker = await connect({ PULSAR_TOKEN: ADMIN, PULSAR_NAMESPACE: 'strict' });
    const publisher = broker.openPublisher('echo');
    await expect
      .poll(() => stateOf(publisher), PATIENCE)
      .toMatch(/^the topic has a schema of somebody else's/);
  });

  test('a message of 5 MB that somebody has put on the topic arrives, and others after it', async () => {
    const topic = `persistent/public/default/${prefix}echo-jobs`;
    const sizes: number[] = [];
    const broker = await connect();
    const consumer = broker.subscribe('echo', (message) => {
      sizes.push(message.body.length);
      consumer.ack(message);
    });
    consumer.grant(2);
    await expect.poll(() => stateOf(consumer), PATIENCE).toBe('usable');
    const raw = await openRaw(`producer/${topic}`);
    raw.send(JSON.stringify({ payload: Buffer.alloc(5_000_000, 'x').toString('base64') }));
    await once(raw, 'message');
    raw.close();
    const publisher = broker.openPublisher('echo');
    await expect.poll(() => publisher.publish([Buffer.from('small')]), PATIENCE).toEqual([true]);
    await expect.poll(() => sizes, PATIENCE).toEqual([5_000_000, 5]);
  });
});
