import type { Logger } from '@jobber/shared/log';
import type { Publisher } from './broker.ts';
import { type BrokerConfig, topicOf } from './broker-config.ts';
import { keepNative } from './keep-native.ts';
import type { NativeClient, NativeProducer } from './load-pulsar-client.ts';

/** From the call of `publish` to its answer, at most. */
const ANSWER_WITHIN_MS = 4_000;
/** Sent and not confirmed. */
const WINDOW = 1_000;
/** The same as over the WebSocket API. */
const LARGEST_BODY = 256 * 1024;

export function createNativePublisher(options: {
  client: NativeClient;
  config: BrokerConfig;
  slug: string;
  complaint: () => string | undefined;
  log: Logger;
}): Publisher {
  const { client, config, slug, complaint, log } = options;
  const topic = topicOf(config, slug);
  const producer = keepNative<NativeProducer>({
    topic,
    complaint,
    log,
    make: () =>
      client.createProducer({
        topic,
        sendTimeoutMs: ANSWER_WITHIN_MS,
        maxPendingMessages: WINDOW,
        // It would block the event loop.
        blockIfQueueFull: false,
        // Messages are acknowledged one by one.
        batchingEnabled: false,
      }),
  });

  async function sendOne(body: Buffer): Promise<boolean> {
    if (body.length > LARGEST_BODY) return false;
    try {
      const sent = producer.current()?.send({ data: body });
      if (!sent) return false;
      await sent;
      return true;
    } catch (error) {
      log.debug({ topic, problem: String(error).slice(0, 300) }, 'not published');
      return false;
    }
  }

  return {
    async publish(bodies) {
      const confirmed = bodies.map(() => false);
      const deadline = performance.now() + ANSWER_WITHIN_MS;
      // While it is connecting for the first time it is worth waiting.
      await within(producer.begun, ANSWER_WITHIN_MS);
      for (let from = 0; from < bodies.length && performance.now() < deadline; from += WINDOW / 4) {
        const part = bodies.slice(from, from + WINDOW / 4);
        const sent = part.map(async (body, index) => {
          confirmed[from + index] = await sendOne(body);
        });
        await within(Promise.all(sent), deadline - performance.now());
      }
      return [...confirmed];
    },
    async check() {
      const problem = producer.problem();
      if (problem !== undefined) throw new Error(problem);
    },
    close: () => producer.close(),
  };
}

async function within(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, ms));
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
