import { expect, test } from 'vitest';
import type { PulsarBroker, PulsarOptions } from '../../pulsar/index.ts';
import type { LogStream } from './log-stream.ts';
import { type SupervisedBroker, superviseBroker } from './supervise-broker.ts';

const BACKOFF = { firstMs: 1, mostMs: 4, healthyAfterMs: 60_000 };

/** A broker whose runs end as `runs` says; a run that is not there goes on until it is stopped. */
function fakeBroker(runs: readonly Promise<void>[]) {
  const calls: string[] = [];
  const forever = new Promise<void>(() => {});
  let run = 0;
  let signal: AbortSignal | undefined;
  let restarted = async (): Promise<void> => {};
  const broker: Pick<PulsarBroker, 'serviceUrl' | 'ended' | 'restart' | 'stop' | 'kill'> = {
    serviceUrl: 'ws://127.0.0.1:1',
    get ended() {
      return runs[run] ?? forever;
    },
    async restart() {
      calls.push('restart');
      run += 1;
      await restarted();
    },
    async stop() {
      calls.push('stop');
    },
    async kill() {
      calls.push('kill');
    },
  };
  return {
    calls,
    onRestart(does: (signal: AbortSignal | undefined) => Promise<void>) {
      restarted = () => does(signal);
    },
    async start(options: PulsarOptions) {
      signal = options.signal;
      return broker as PulsarBroker;
    },
  };
}

async function supervise(fake: ReturnType<typeof fakeBroker>, backoff = BACKOFF) {
  const delays: unknown[] = [];
  const { promise: fourth, resolve } = Promise.withResolvers<void>();
  const log = {
    say(_source: string, _level: string, _message: string, fields: { inMs: number }) {
      if (delays.push(fields.inMs) === 4) resolve();
    },
  } as unknown as LogStream;
  const supervised: SupervisedBroker = await superviseBroker({
    dataDir: '/nowhere',
    environment: {},
    log,
    signal: new AbortController().signal,
    onPhase: () => {},
    backoff,
    start: fake.start,
  });
  return { supervised, delays, fourth };
}

test('a broker that ends as soon as it is ready is started again after a growing delay', async () => {
  const gone = Promise.resolve();
  const fake = fakeBroker([gone, gone, gone, gone]);
  const { supervised, delays, fourth } = await supervise(fake);
  await fourth;
  expect(delays).toEqual([1, 2, 4, 4]);
  await supervised.release.stop();
  expect(fake.calls.at(-1)).toBe('stop');
});

test('a broker that is stopped between two runs is not started again', async () => {
  const fake = fakeBroker([Promise.resolve()]);
  const { supervised, delays } = await supervise(fake, { ...BACKOFF, firstMs: 60_000, mostMs: 60_000 });
  await expect.poll(() => delays, { timeout: 60_000, interval: 1 }).toEqual([60_000]);
  await supervised.release.stop();
  expect(fake.calls).toEqual(['stop']);
});

test('a start that is under way gives up before the broker is stopped', async () => {
  const fake = fakeBroker([Promise.resolve()]);
  const { promise: starting, resolve: begin } = Promise.withResolvers<void>();
  fake.onRestart(async (signal) => {
    begin();
    await new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => {
        fake.calls.push('given up');
        reject(signal.reason);
      });
    });
  });
  const { supervised } = await supervise(fake);
  await starting;
  await supervised.release.kill();
  expect(fake.calls).toEqual(['restart', 'given up', 'kill']);
});

test('a broker that cannot be started again says why', async () => {
  const fake = fakeBroker([Promise.resolve()]);
  fake.onRestart(() => Promise.reject(new Error('Port 1 is taken by another program.')));
  const { supervised } = await supervise(fake);
  expect(await supervised.failed).toMatchObject({
    reason: 'broker',
    message: 'Port 1 is taken by another program.',
  });
});
