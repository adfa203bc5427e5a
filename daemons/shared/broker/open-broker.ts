import type { Logger } from '@jobber/shared/log';
import type { Broker } from './broker.ts';
import type { BrokerConfig } from './broker-config.ts';
import { openNativeBroker } from './native-broker.ts';
import { createWebSocketConsumer } from './web-socket-consumer.ts';
import { createWebSocketPublisher } from './web-socket-publisher.ts';

/**
 * The broker of the configuration, by the driver that belongs to its URL. Does not wait until it can be reached.
 * @throws ConfigError when the package that pulsar:// needs is not there
 */
export async function openBroker(config: BrokerConfig, log: Logger): Promise<Broker> {
  return config.driver === 'native' ? await openNativeBroker(config, log) : openWebSocketBroker(config, log);
}

function openWebSocketBroker(config: BrokerConfig, log: Logger): Broker {
  const opened = new Set<{ close(): Promise<void> }>();

  function keep<T extends { close(): Promise<void> }>(part: T): T {
    opened.add(part);
    return part;
  }

  return {
    openPublisher: (slug) => keep(createWebSocketPublisher({ config, slug, log })),
    subscribe: (slug, onMessage) => keep(createWebSocketConsumer({ config, slug, onMessage, log })),
    async close() {
      await Promise.all([...opened].map((part) => part.close()));
      opened.clear();
    },
  };
}
