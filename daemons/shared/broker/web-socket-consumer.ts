import type { Logger } from '@jobber/shared/log';
import type { BrokerMessage, Consumer } from './broker.ts';
import { type BrokerConfig, SUBSCRIPTION, topicOf } from './broker-config.ts';
import { keepWebSocket, type WebSocketTiming } from './web-socket.ts';

/** Soon, and not so soon that a message which nobody wants goes round in circles. */
const NACK_DELAY_MS = 200;
/** A connection over which nothing was delivered for so long, although it was asked for, is made again: it may be stuck. */
const QUIET_MS = 120_000;

/**
 * Pull mode with the smallest queue: the broker delivers as many messages as there are permits and holds none back for
 * this consumer, so that another member of the subscription gets what this one has no slot for.
 */
export function createWebSocketConsumer(options: {
  config: BrokerConfig;
  slug: string;
  onMessage: (message: BrokerMessage) => void;
  log: Logger;
  timing?: WebSocketTiming;
  quietMs?: number;
}): Consumer {
  const { config, slug, onMessage, quietMs = QUIET_MS } = options;
  const messageIds = new WeakMap<BrokerMessage, string>();
  /** Delivered, and neither acknowledged nor given back. */
  let held = 0;
  /** Asked for, and not delivered. */
  let permits = 0;
  let quiet: NodeJS.Timeout | undefined;
  let closed = false;

  const parameters = new URLSearchParams({
    subscriptionType: 'Shared',
    subscriptionInitialPosition: 'Earliest',
    pullMode: 'true',
    receiverQueueSize: '1',
    negativeAckRedeliveryDelay: String(NACK_DELAY_MS),
  });
  const socket = keepWebSocket({
    ...options,
    path: `/ws/v2/consumer/${topicOf(config, slug).replace('://', '/')}/${SUBSCRIPTION}?${parameters}`,
    events: {
      onOpen() {
        // The broker forgets permits with the connection.
        if (permits > 0) ask(permits);
        watchQuiet();
      },
      onFrame(frame) {
        const { messageId, payload } = frame;
        if (typeof messageId !== 'string' || typeof payload !== 'string') return;
        const message = { body: Buffer.from(payload, 'base64') };
        messageIds.set(message, messageId);
        held += 1;
        permits = Math.max(0, permits - 1);
        watchQuiet();
        onMessage(message);
      },
      onLost() {
        // The broker delivers again what was not acknowledged, to whichever member.
        held = 0;
      },
    },
  });

  function ask(count: number): void {
    socket.send({ type: 'permit', permitMessages: count });
  }

  function watchQuiet(): void {
    clearTimeout(quiet);
    if (closed) return;
    quiet = setTimeout(
      () => {
        if (permits > 0 && held === 0) socket.renew('nothing was delivered for a while');
        else watchQuiet();
      },
      quietMs * (0.75 + Math.random() / 2),
    );
    quiet.unref();
  }

  /** Also over a later connection than the one that has delivered it: the broker knows the message by its place. */
  function answer(message: BrokerMessage, command: object): void {
    const messageId = messageIds.get(message);
    if (messageId === undefined) return;
    messageIds.delete(message);
    held = Math.max(0, held - 1);
    socket.send({ ...command, messageId });
  }

  return {
    grant(count) {
      permits += count;
      ask(count);
    },
    ack: (message) => answer(message, {}),
    nack: (message) => answer(message, { type: 'negativeAcknowledge' }),
    async check() {
      const problem = socket.problem();
      if (problem !== undefined) throw new Error(problem);
    },
    async close() {
      closed = true;
      clearTimeout(quiet);
      await socket.close();
    },
  };
}
