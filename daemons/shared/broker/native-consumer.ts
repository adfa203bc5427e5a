import type { Logger } from '@jobber/shared/log';
import type { BrokerMessage, Consumer } from './broker.ts';
import { type BrokerConfig, SUBSCRIPTION, topicOf } from './broker-config.ts';
import { keepNative } from './keep-native.ts';
import type { NativeClient, NativeConsumer, NativeMessage } from './load-pulsar-client.ts';

/** Calls of `receive` that are waiting at a time; more would make nothing faster. */
const MOST_RECEIVES = 64;
/** Soon, and not so soon that a message which nobody wants goes round in circles. */
const NACK_DELAY_MS = 200;
/** The client's queue holds one message beyond what was asked for; without a permit so long, others may have it. */
const HOLD_MS = 200;

export function createNativeConsumer(options: {
  client: NativeClient;
  config: BrokerConfig;
  slug: string;
  complaint: () => string | undefined;
  onMessage: (message: BrokerMessage) => void;
  log: Logger;
}): Consumer {
  const { client, config, slug, onMessage, complaint, log } = options;
  const topic = topicOf(config, slug);
  const origins = new WeakMap<BrokerMessage, { native: NativeMessage; consumer: NativeConsumer }>();
  /** Came without a permit, and wait for one. */
  const early = new Map<NativeMessage, { consumer: NativeConsumer; timer: NodeJS.Timeout }>();
  let permits = 0;
  let receives = 0;

  const kept = keepNative<NativeConsumer>({
    topic,
    complaint,
    log,
    make: () =>
      client.subscribe({
        topic,
        subscription: SUBSCRIPTION,
        subscriptionType: 'Shared',
        subscriptionInitialPosition: 'Earliest',
        receiverQueueSize: 1,
        nAckRedeliverTimeoutMs: NACK_DELAY_MS,
      }),
    onMade() {
      receives = 0;
      receiveMore();
    },
  });

  function receiveMore(): void {
    const consumer = kept.current();
    // Also without a permit one waits: what the client fetches unasked is given back then, and not kept from others.
    const wanted = permits > 0 ? Math.min(MOST_RECEIVES, permits) : early.size > 0 ? 0 : 1;
    while (consumer && receives < wanted) {
      receives += 1;
      void receiveOne(consumer);
    }
  }

  async function receiveOne(consumer: NativeConsumer): Promise<void> {
    let native: NativeMessage;
    try {
      native = await consumer.receive();
    } catch (error) {
      kept.discard(consumer, error);
      return;
    }
    if (consumer !== kept.current()) return;
    receives -= 1;
    if (permits > 0) deliver(native, consumer);
    else hold(native, consumer);
    receiveMore();
  }

  function hold(native: NativeMessage, consumer: NativeConsumer): void {
    const timer = setTimeout(() => {
      early.delete(native);
      consumer.negativeAcknowledge(native);
      receiveMore();
    }, HOLD_MS);
    early.set(native, { consumer, timer });
  }

  function deliver(native: NativeMessage, consumer: NativeConsumer): void {
    permits -= 1;
    const message = { body: native.getData() };
    origins.set(message, { native, consumer });
    onMessage(message);
  }

  return {
    grant(count) {
      permits += count;
      for (const [native, { consumer, timer }] of early) {
        if (permits <= 0) return;
        clearTimeout(timer);
        early.delete(native);
        deliver(native, consumer);
      }
      receiveMore();
    },
    ack(message) {
      const origin = origins.get(message);
      origins.delete(message);
      // It was given back with its consumer, if that is closed: the message comes again.
      void origin?.consumer.acknowledge(origin.native).catch(() => {});
    },
    nack(message) {
      const origin = origins.get(message);
      origins.delete(message);
      origin?.consumer.negativeAcknowledge(origin.native);
    },
    async check() {
      const problem = kept.problem();
      if (problem !== undefined) throw new Error(problem);
    },
    async close() {
      for (const { timer } of early.values()) clearTimeout(timer);
      early.clear();
      await kept.close();
    },
  };
}
