import { join } from 'node:path';
import { PulsarError, startPulsar } from '../../pulsar/index.ts';
import type { LogStream } from './log-stream.ts';
import { PlatformError } from './platform-error.ts';
import type { Release } from './release-in-order.ts';

export interface SupervisedBroker {
  /** For PULSAR_SERVICE_URL. */
  readonly serviceUrl: string;
  readonly release: Release;
  /** Resolves with the reason when it has ended and does not start again. */
  readonly failed: Promise<PlatformError>;
}

/**
 * Starts a broker whose data lies in the platform's folder, and starts it again should it end.
 * @throws PlatformError `broker` that says what is missing or wrong
 */
export async function superviseBroker(options: {
  dataDir: string;
  environment: NodeJS.ProcessEnv;
  log: LogStream;
  signal: AbortSignal;
  onPhase: (phase: string) => void;
}): Promise<SupervisedBroker> {
  const { environment, log, signal } = options;
  const broker = await startPulsar({
    dataDir: join(options.dataDir, 'pulsar'),
    environment,
    fullSpeed: true,
    signal,
    onPhase: (phase) => options.onPhase(`Apache Pulsar: ${phase}`),
  }).catch((error: unknown) => {
    throw error instanceof PulsarError ? new PlatformError('broker', error.message) : error;
  });
  const { promise: failed, resolve: fail } = Promise.withResolvers<PlatformError>();
  let stopping = false;

  async function keepRunning(): Promise<void> {
    for (;;) {
      await broker.ended;
      if (stopping) return;
      log.say('up', 'warn', 'the broker has ended; it is started again');
      await broker.restart();
    }
  }

  keepRunning().catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    if (!stopping) fail(new PlatformError('broker', why));
  });
  return {
    serviceUrl: broker.serviceUrl,
    failed,
    release: {
      stop() {
        stopping = true;
        return broker.stop();
      },
      kill() {
        stopping = true;
        return broker.kill();
      },
    },
  };
}
