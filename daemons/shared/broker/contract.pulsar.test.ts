import { randomBytes } from 'node:crypto';
import type {} from '@jobber/compose/test-broker-setup';
import { createLogger } from '@jobber/shared/log';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import type { Broker, BrokerMessage, Consumer, Publisher } from './broker.ts';
import { readBrokerConfig } from './broker-config.ts';
import { openBroker } from './open-broker.ts';

const log = createLogger({ daemon: 'test', level: 'silent' });
const PATIENCE = { timeout: 60_000, interval: 20 };

describe.each(inject('jobberTestTransports'))('the broker by $driver', ({ serviceUrl, adminUrl, token }) => {
  let prefix: string;
  const brokers: Broker[] = [];

  beforeEach(() => {
    prefix = `t${randomBytes(5).toString('hex')}-`;
  });
  afterEach(async () => {
    await Promise.all(brokers.splice(0).map((broker) => broker.close()));
  });

  async function connect(): Promise<Broker> {
    const config = readBrokerConfig({
      PULSAR_SERVICE_URL: serviceUrl,
      PULSAR_TOPIC_PREFIX: prefix,
      PULSAR_TOKEN: token,
    });
    const broker = await openBroker(config!, log);
    brokers.push(broker);
    return broker;
  }

  interface Member {
    readonly consumer: Consumer;
    readonly messages: BrokerMessage[];
    bodies(): string[];
  }

  async function join(): Promise<Member> {
    const messages: BrokerMessage[] = [];
    const consumer = (await connect()).subscribe('echo', (message) => messages.push(message));
    await expect.poll(() => isReady(consumer), PATIENCE).toBe(true);
    return { consumer, messages, bodies: () => messages.map(({ body }) => body.toString()) };
  }

  async function openPublisher(): Promise<Publisher> {
    const publisher = (await connect()).openPublisher('echo');
    await expect.poll(() => isReady(publisher), PATIENCE).toBe(true);
    return publisher;
  }

  function isReady(part: { check(): Promise<void> }): Promise<boolean> {
    return part.check().then(
      () => true,
      () => false,
    );
  }

  function numbered(count: number): string[] {
    return Array.from({ length: count }, (_, index) => `hint ${index}`);
  }

  async function publish(publisher: Publisher, bodies: readonly string[]): Promise<void> {
    const confirmed = await publisher.publish(bodies.map((body) => Buffer.from(body)));
    expect(confirmed).toEqual(bodies.map(() => true));
  }

  async function backlog(): Promise<number> {
    const topic = `${adminUrl}/admin/v2/persistent/public/default/${prefix}echo-jobs`;
    const response = await fetch(`${topic}/stats?getPreciseBacklog=true`);
    const stats = (await response.json()) as { subscriptions: Record<string, { msgBacklog: number }> };
    return stats.subscriptions['jobber-executors']?.msgBacklog ?? 0;
  }

  test('what is published is confirmed and arrives, and what is acknowledged is gone', async () => {
    const publisher = await openPublisher();
    const { consumer, messages, bodies } = await join();
    consumer.grant(100);
    await publish(publisher, numbered(100));
    await expect.poll(bodies, PATIENCE).toHaveLength(100);
    expect(bodies().sort()).toEqual(numbered(100).sort());
    for (const message of messages) consumer.ack(message);
    if (adminUrl !== undefined) await expect.poll(backlog, PATIENCE).toBe(0);
  });

  test('any bytes arrive as they were, and a body that is too large is not confirmed and harms no other', async () => {
    const publisher = await openPublisher();
    const { consumer, messages } = await join();
    consumer.grant(10);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const tooLarge = Buffer.alloc(5_000_000, 'x');
    expect(await publisher.publish([bytes, tooLarge, Buffer.alloc(0)])).toEqual([true, false, true]);
    await expect.poll(() => messages, PATIENCE).toHaveLength(2);
    expect(messages.map(({ body }) => body)).toEqual(expect.arrayContaining([bytes, Buffer.alloc(0)]));
  });

  // The broker keeps one message ready for each member, whatever it has asked for.
  test('a member gets as many messages as it has asked for, and all others but one go to the others at once', async () => {
    const publisher = await openPublisher();
    const busy = await join();
    const idle = await join();
    busy.consumer.grant(2);
    await publish(publisher, numbered(50));
    await expect.poll(busy.bodies, PATIENCE).toHaveLength(2);
    idle.consumer.grant(48);
    await expect.poll(() => idle.bodies().length, PATIENCE).toBeGreaterThanOrEqual(47);
    expect(busy.bodies()).toHaveLength(2);
    // It is not lost: it comes when it is asked for.
    busy.consumer.grant(1);
    const all = () => [...busy.bodies(), ...idle.bodies()].sort();
    await expect.poll(all, PATIENCE).toEqual(numbered(50).sort());
  });

  test('a member that joins later gets work at once', async () => {
    const publisher = await openPublisher();
    const first = await join();
    await publish(publisher, numbered(20));
    first.consumer.grant(1);
    await expect.poll(first.bodies, PATIENCE).toHaveLength(1);
    const second = await join();
    second.consumer.grant(18);
    await expect.poll(second.bodies, PATIENCE).toHaveLength(18);
  });

  test('what is given back comes again, to any member', async () => {
    const publisher = await openPublisher();
    const first = await join();
    first.consumer.grant(1);
    await publish(publisher, ['once more']);
    await expect.poll(first.bodies, PATIENCE).toHaveLength(1);
    const second = await join();
    second.consumer.grant(1);
    first.consumer.nack(first.messages[0]!);
    await expect.poll(second.bodies, PATIENCE).toEqual(['once more']);
  });

  test('what a member that leaves has not acknowledged comes again to the others', async () => {
    const publisher = await openPublisher();
    const first = await join();
    first.consumer.grant(5);
    await publish(publisher, numbered(5));
    await expect.poll(first.bodies, PATIENCE).toHaveLength(5);
    const second = await join();
    second.consumer.grant(5);
    await first.consumer.close();
    await expect.poll(second.bodies, PATIENCE).toHaveLength(5);
  });

  test('20,000 copies of one message come one by one, as far as they are asked for', async () => {
    const COPIES = 20_000;
    const WINDOW = 500;
    const publisher = await openPublisher();
    let arrived = 0;
    let open = 0;
    let leastOpen = WINDOW;
    const consumer = (await connect()).subscribe('echo', (message) => {
      arrived += 1;
      open -= 1;
      leastOpen = Math.min(leastOpen, open);
      consumer.ack(message);
      if (open < WINDOW / 2) ask();
    });
    function ask(): void {
      consumer.grant(WINDOW - open);
      open = WINDOW;
    }
    ask();
    const copy = Buffer.from(JSON.stringify({ v: 1, job: '1', task: 0, attempt: 1 }));
    // On a slow machine some may be confirmed too late, and are there all the same.
    let confirmed = 0;
    while (confirmed < COPIES) {
      const answers = await publisher.publish(Array<Buffer>(500).fill(copy));
      confirmed += answers.filter(Boolean).length;
    }
    await expect.poll(() => arrived, { timeout: 110_000, interval: 50 }).toBeGreaterThanOrEqual(confirmed);
    if (adminUrl !== undefined) await expect.poll(backlog, PATIENCE).toBe(0);
    expect(leastOpen).toBeGreaterThanOrEqual(0);
  }, 240_000);
});
