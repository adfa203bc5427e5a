import { createLogger } from '@jobber/shared/log';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { Broker, BrokerMessage } from './broker.ts';
import { readBrokerConfig } from './broker-config.ts';
import { loadPulsarClient, whyNoPulsarClient } from './load-pulsar-client.ts';
import { openNativeBroker } from './native-broker.ts';
import { createFakePulsar, type FakePulsar } from './testing/fake-pulsar-client.ts';

const log = createLogger({ daemon: 'test', level: 'silent' });
let pulsar: FakePulsar;
let broker: Broker;
let messages: BrokerMessage[];

beforeEach(async () => {
  pulsar = createFakePulsar();
  messages = [];
  const config = readBrokerConfig({ PULSAR_SERVICE_URL: 'pulsar://localhost:6650', PULSAR_TOKEN: 'abc' });
  broker = await openNativeBroker(config!, log, async () => pulsar.module);
});
afterEach(() => broker.close());

const bodies = () => messages.map(({ body }) => body.toString());

test('hints are sent as bytes to the topic of the type, and confirmed when the broker has confirmed them', async () => {
  const publisher = broker.openPublisher('fibonacci');
  await expect.poll(() => publisher.check().then(() => true)).toBe(true);
  expect(await publisher.publish([Buffer.from('one'), Buffer.from('two')])).toEqual([true, true]);
  expect(pulsar.sent.map(String)).toEqual(['one', 'two']);
  expect(pulsar.options[1]).toMatchObject({
    topic: 'persistent://public/default/fibonacci-jobs',
    batchingEnabled: false,
    blockIfQueueFull: false,
  });
  pulsar.sendError = 'Failed to send message: TimeOut';
  expect(await publisher.publish([Buffer.from('three')])).toEqual([false]);
  expect(await publisher.publish([Buffer.alloc(300_000)])).toEqual([false]);
});

test('what is published while the first connection is being made waits for it', async () => {
  // By the clock of the machine it might stand still for longer than an answer may take.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  pulsar.refusal = 'Failed to create producer: ConnectError';
  const publisher = broker.openPublisher('fibonacci');
  const confirmed = publisher.publish([Buffer.from('early')]);
  await expect.poll(() => publisher.check().catch(String)).toMatch(/ConnectError/);
  pulsar.refusal = undefined;
  await vi.advanceTimersByTimeAsync(500);
  expect(await confirmed).toEqual([true]);
  expect(pulsar.sent.map(String)).toEqual(['early']);
});

test('the token is asked for again for each connection', async () => {
  const { authentication } = pulsar.options[0] as { authentication: { token(): Promise<string> } };
  expect(await authentication.token()).toBe('abc');
});

test('as many messages are delivered as are asked for, and outcomes reach the broker', async () => {
  const consumer = broker.subscribe('fibonacci', (message) => messages.push(message));
  consumer.grant(2);
  await expect.poll(() => pulsar.mostWaiting).toBe(2);
  expect(pulsar.options[1]).toMatchObject({
    subscription: 'jobber-executors',
    subscriptionType: 'Shared',
    subscriptionInitialPosition: 'Earliest',
    receiverQueueSize: 1,
  });
  for (const text of ['one', 'two']) pulsar.arrive(text);
  await expect.poll(bodies).toEqual(['one', 'two']);
  consumer.ack(messages[0]!);
  consumer.nack(messages[1]!);
  expect(pulsar.acknowledged).toEqual(['one']);
  expect(pulsar.givenBack).toEqual(['two']);
});

test('what comes without being asked for is delivered when it is soon, and given back otherwise, one at a time', async () => {
  const consumer = broker.subscribe('fibonacci', (message) => messages.push(message));
  await expect.poll(() => pulsar.mostWaiting).toBe(1);
  pulsar.arrive('soon');
  consumer.grant(1);
  await expect.poll(bodies).toEqual(['soon']);
  for (const text of ['first', 'second']) pulsar.arrive(text);
  await expect.poll(() => pulsar.givenBack).toEqual(['first', 'second']);
  expect(bodies()).toEqual(['soon']);
});

test('a refusal is told, and its end is enough', async () => {
  pulsar.refusal = 'Failed to create consumer: ConsumerBusy';
  const consumer = broker.subscribe('fibonacci', () => {});
  await expect
    .poll(() => consumer.check().catch((error: Error) => error.message))
    .toMatch(/^another program holds the subscription/);
  pulsar.refusal = undefined;
  await expect
    .poll(
      () =>
        consumer.check().then(
          () => 'usable',
          () => 'not yet',
        ),
      { timeout: 30_000 },
    )
    .toBe('usable');
});

test('closing ends what waits, once, and quietly', async () => {
  const consumer = broker.subscribe('fibonacci', () => {});
  consumer.grant(3);
  await expect.poll(() => pulsar.mostWaiting).toBe(3);
  await broker.close();
  await broker.close();
  await expect(consumer.check()).rejects.toThrow('it is closed');
});

test('a package that is absent, unbuilt or broken is told apart, each with what to do and the alternative', async () => {
  const failing = (code: string, message: string) => () =>
    Promise.reject(Object.assign(new Error(message), { code }));
  const absentPackage = 'no-such-pulsar-client';
  const absent = () => import(absentPackage);
  await expect(loadPulsarClient(absent)).rejects.toThrow(/not installed: run `npm install .*or use ws:\/\//);
  const unbuilt = failing('MODULE_NOT_FOUND', "Cannot find module '../lib/binding/pulsar.node'");
  await expect(loadPulsarClient(unbuilt)).rejects.toThrow(
    /without its native part.*npm rebuild.*or use ws:\/\//,
  );
  const broken = failing('ERR_DLOPEN_FAILED', 'libssl.so.3: cannot open shared object file\nmore');
  await expect(loadPulsarClient(broken)).rejects.toThrow(/can't be loaded \(libssl.*file\), or use ws:\/\//);
  expect(await whyNoPulsarClient(unbuilt)).toMatch(
    /^the package pulsar-client is installed without its native part.* what it says$/,
  );
  expect(await whyNoPulsarClient(async () => pulsar.module)).toBeUndefined();
});

test('what the client has only logged of a failure is told with it', async () => {
  const { log: clientLog } = pulsar.options[0] as {
    log(level: number, file: string, line: number, text: string): void;
  };
  const problemOf = (part: { check(): Promise<void> }) => part.check().catch((error: Error) => error.message);
  pulsar.refusal = 'Failed to create producer: TimeOut';
  const publisher = broker.openPublisher('fibonacci');
  await expect
    .poll(() => problemOf(publisher))
    .toMatch(/^the broker does not answer, or refuses the token \(.*TimeOut\)/);
  clientLog(2, 'ClientConnection', 1, '[a -> b] Handshake failed: certificate verify failed (SSL routines)');
  const consumer = broker.subscribe('fibonacci', () => {});
  await expect.poll(() => problemOf(consumer)).toMatch(/^no TLS connection .*certificate verify failed/);
});
