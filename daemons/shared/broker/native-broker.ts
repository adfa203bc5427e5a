import type { Logger } from '@jobber/shared/log';
import type { Broker } from './broker.ts';
import { type BrokerConfig, currentToken } from './broker-config.ts';
import { loadPulsarClient, type PulsarClientPackage } from './load-pulsar-client.ts';
import { createNativeConsumer } from './native-consumer.ts';
import { createNativePublisher } from './native-publisher.ts';

/** The official client counts and names levels so. */
const WARN = 2;

/** A log line that says what the errors afterwards do not. */
const COMPLAINT = /Handshake failed: .*/;
/** Somewhat longer than an operation may take. */
const COMPLAINT_COUNTS_MS = 15_000;

/** @throws ConfigError when the package is not there */
export async function openNativeBroker(
  config: BrokerConfig,
  log: Logger,
  load: () => Promise<PulsarClientPackage> = loadPulsarClient,
): Promise<Broker> {
  const { Client, AuthenticationToken } = await load();
  const { token, tlsCaFile, serviceUrl } = config;
  let complaint: { readonly text: string; readonly at: number } | undefined;
  const client = new Client({
    serviceUrl,
    ...(token && { authentication: new AuthenticationToken({ token: async () => currentToken(token) }) }),
    ...(tlsCaFile !== undefined && { tlsTrustCertsFilePath: tlsCaFile }),
    tlsValidateHostname: true,
    operationTimeoutSeconds: 10,
    connectionTimeoutMs: 10_000,
    // What concerns us is told by `check`; this is for those who look into the client itself.
    logLevel: WARN,
    log(_level: number, file: string, line: number, message: string) {
      log.debug({ file, line }, message.slice(0, 500));
      const text = COMPLAINT.exec(message)?.[0].slice(0, 300);
      if (text !== undefined) complaint = { text, at: performance.now() };
    },
  });
  const opened = new Set<{ close(): Promise<void> }>();

  function keep<T extends { close(): Promise<void> }>(part: T): T {
    opened.add(part);
    return part;
  }

  /** What fails much later may fail for another reason. */
  function lastComplaint(): string | undefined {
    return complaint && performance.now() - complaint.at < COMPLAINT_COUNTS_MS ? complaint.text : undefined;
  }

  const parts = { client, config, complaint: lastComplaint, log };
  return {
    openPublisher: (slug) => keep(createNativePublisher({ ...parts, slug })),
    subscribe: (slug, onMessage) => keep(createNativeConsumer({ ...parts, slug, onMessage })),
    async close() {
      await Promise.all([...opened].map((part) => part.close()));
      opened.clear();
      await client.close().catch(() => {});
    },
  };
}
