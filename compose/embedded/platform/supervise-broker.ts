import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PulsarError, startPulsar } from '../../pulsar/index.ts';
import { type BackoffRule, createBackoff } from './backoff.ts';
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
 * Starts a broker whose data lies in the platform's folder. Whenever it ends by itself it is started again, after a
 * growing delay.
 * @throws PlatformError `broker` that says what is missing or wrong
 */
export async function superviseBroker(options: {
  dataDir: string;
  environment: NodeJS.ProcessEnv;
  log: LogStream;
  signal: AbortSignal;
  onPhase: (phase: string) => void;
  backoff?: BackoffRule;
  start?: typeof startPulsar;
}): Promise<SupervisedBroker> {
  const { environment, log, start = startPulsar } = options;
  const nextDelay = createBackoff(options.backoff);
  const stopping = new AbortController();
  const broker = await start({
    dataDir: join(options.dataDir, 'pulsar'),
    environment,
    fullSpeed: true,
    signal: AbortSignal.any([options.signal, stopping.signal]),
    onPhase: (phase) => options.onPhase(`Apache Pulsar: ${phase}`),
  }).catch((error: unknown) => {
    throw error instanceof PulsarError ? new PlatformError('broker', error.message) : error;
  });
  const { promise: failed, resolve: fail } = Promise.withResolvers<PlatformError>();
  const stopAsked = once(stopping.signal, 'abort');

  async function keepRunning(): Promise<void> {
    for (;;) {
      const startedAt = performance.now();
      await Promise.race([broker.ended, stopAsked]);
      if (stopping.signal.aborted) return;
      const inMs = nextDelay(performance.now() - startedAt);
      log.say('up', 'warn', 'the broker has ended; it is started again', { inMs });
      await delay(inMs, undefined, { signal: stopping.signal });
      await broker.restart();
    }
  }

  const running = keepRunning().catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    if (!stopping.signal.aborted) fail(new PlatformError('broker', why));
  });

  /** A start that is under way gives up first, so that nothing begins to run behind the end. */
  async function end(how: 'stop' | 'kill'): Promise<void> {
    stopping.abort();
    await running;
    await broker[how]();
  }

  return {
    serviceUrl: broker.serviceUrl,
    failed,
    release: { stop: () => end('stop'), kill: () => end('kill') },
  };
}
