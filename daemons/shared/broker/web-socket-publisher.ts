import type { Logger } from '@jobber/shared/log';
import type { Publisher } from './broker.ts';
import { type BrokerConfig, topicOf } from './broker-config.ts';
import { keepWebSocket, type WebSocketTiming } from './web-socket.ts';

/** From the call of `publish` to its answer, at most. */
const ANSWER_WITHIN_MS = 4_000;
/** Sent and not confirmed. */
const WINDOW = 1_000;
/** Frames of more than 1 MiB end the connection of a broker with its usual settings. */
const LARGEST_BODY = 256 * 1024;

interface Sending {
  readonly body: Buffer;
  readonly settle: (confirmed: boolean) => void;
}

export function createWebSocketPublisher(options: {
  config: BrokerConfig;
  slug: string;
  log: Logger;
  timing?: WebSocketTiming;
}): Publisher {
  const { config, slug, log } = options;
  const waiting: Sending[] = [];
  const underWay = new Map<string, Sending>();
  let lastContext = 0;
  let hasConnected = false;

  const parameters = new URLSearchParams({
    // Messages are acknowledged one by one.
    batchingEnabled: 'false',
    sendTimeoutMillis: String(ANSWER_WITHIN_MS),
    maxPendingMessages: String(2 * WINDOW),
  });
  const socket = keepWebSocket({
    ...options,
    path: `/ws/v2/producer/${topicOf(config, slug).replace('://', '/')}?${parameters}`,
    events: {
      onOpen() {
        hasConnected = true;
        send();
      },
      onFrame(frame) {
        const context = String(frame['context']);
        const sending = underWay.get(context);
        if (!sending) return;
        underWay.delete(context);
        const confirmed = frame['result'] === 'ok';
        if (!confirmed)
          log.debug({ slug, result: frame['result'], error: frame['errorMsg'] }, 'not published');
        sending.settle(confirmed);
        send();
      },
      onLost: abandon,
    },
  });

  function send(): void {
    while (underWay.size < WINDOW) {
      const sending = waiting.shift();
      if (!sending) return;
      lastContext += 1;
      const context = String(lastContext);
      underWay.set(context, sending);
      if (!socket.send({ payload: sending.body.toString('base64'), context })) {
        underWay.delete(context);
        sending.settle(false);
      }
    }
  }

  function abandon(): void {
    const all = [...underWay.values(), ...waiting.splice(0)];
    underWay.clear();
    for (const sending of all) sending.settle(false);
  }

  /** Later than that nobody waits for them. Those under way keep their place in the window until they are answered. */
  function forgetWaiting(sendings: readonly Sending[]): void {
    const late = new Set(sendings);
    const others = waiting.filter((sending) => !late.has(sending));
    waiting.splice(0, waiting.length, ...others);
  }

  return {
    async publish(bodies) {
      // While it is connecting for the first time it is worth waiting; after a loss the answer is known.
      if (hasConnected && socket.problem() !== undefined) return bodies.map(() => false);
      const confirmed = bodies.map(() => false);
      const sendings: Sending[] = [];
      const answers = bodies.map(
        (body, index) =>
          new Promise<void>((resolve) => {
            const settle = (is: boolean) => {
              confirmed[index] = is;
              resolve();
            };
            if (body.length > LARGEST_BODY) settle(false);
            else sendings.push({ body, settle });
          }),
      );
      waiting.push(...sendings);
      if (socket.problem() === undefined) send();
      await withinLimit(Promise.all(answers));
      forgetWaiting(sendings);
      return [...confirmed];
    },
    async check() {
      const problem = socket.problem();
      if (problem !== undefined) throw new Error(problem);
    },
    async close() {
      await socket.close();
      abandon();
    },
  };
}

async function withinLimit(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ANSWER_WITHIN_MS);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
