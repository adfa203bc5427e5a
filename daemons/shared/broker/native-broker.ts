import type { Logger } from '@jobber/shared/log';
import type { Broker } from './broker.ts';
import { type BrokerConfig, currentToken } from './broker-config.ts';
import { loadPulsarClient, type PulsarClientPackage } from './load-pulsar-client.ts';
import { createNativeConsumer } from './native-consumer.ts';
import { createNativePublisher } from './native-publisher.ts';

/** The official client counts and names levels so. */
const WARN = 2;

/** @throws ConfigError when the package is not there */
export async function openNativeBroker(
  config: BrokerConfig,
  log: Logger,
  load: () => Promise<PulsarClientPackage> = loadPulsarClient,
): Promise<Broker> {
  const { Client, AuthenticationToken } = await load();
  const { token, tlsCaFile, serviceUrl } = config;
  const client = new Client({
    serviceUrl,
    ...(token && { authentication: new AuthenticationToken({ token: async () => currentToken(token) }) }),
    ...(tlsCaFile !== undefined && { tlsTrustCertsFilePath: tlsCaFile }),
    tlsValidateHostname: true,
    operationTimeoutSeconds: 10,
    connectionTimeoutMs: 10_000,
    // What concerns us is told by `check`; this is for those who look into the client itself.
    logLevel: WARN,
    log: (_level: number, file: string, line: number, message: string) =>
      log.debug({ file, line }, message.slice(0, 500)),
  });
  const opened = new Set<{ close(): Promise<void> }>();

  function keep<T extends { close(): Promise<void> }>(part: T): T {
    opened.add(part);
    return part;
  }

  return {
    openPublisher: (slug) => keep(createNativePublisher({ client, config, slug, log })),
    subscribe: (slug, onMessage) => keep(createNativeConsumer({ client, config, slug, onMessage, log })),
    async close() {
      await Promise.all([...opened].map((part) => part.close()));
      opened.clear();
      await client.close().catch(() => {});
    },
  };
}
