import { Counter, DURATION_BUCKETS, Gauge, Histogram, type Registry } from '@jobber/shared/telemetry';

export interface AuthMetrics {
  readonly logins: Counter<'outcome'>;
  readonly refreshes: Counter<'outcome'>;
  readonly authenticateBatchSize: Histogram;
  readonly authenticateSeconds: Histogram;
}

export function createAuthMetrics(registry: Registry): AuthMetrics {
  const registers = [registry];
  return {
    logins: new Counter({
      name: 'jobber_auth_logins_total',
      help: 'Logins by outcome: succeeded, or the reason of the refusal',
      labelNames: ['outcome'],
      registers,
    }),
    refreshes: new Counter({
      name: 'jobber_auth_refreshes_total',
      help: 'Refreshes by outcome: succeeded, or the reason of the refusal',
      labelNames: ['outcome'],
      registers,
    }),
    authenticateBatchSize: new Histogram({
      name: 'jobber_auth_authenticate_batch_size',
      help: 'Tokens that were checked with one query',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000],
      registers,
    }),
    authenticateSeconds: new Histogram({
      name: 'jobber_auth_authenticate_seconds',
      help: 'Time to check one batch of tokens',
      buckets: DURATION_BUCKETS,
      registers,
    }),
  };
}

/** Adds how many daemons watch the revocations of this replica. */
export function measureWatchers(registry: Registry, { watcherCount }: { watcherCount: () => number }): void {
  new Gauge({
    name: 'jobber_auth_revocation_watchers',
    help: 'Daemons that keep identities and are told of revocations by this replica',
    registers: [registry],
    collect() {
      this.set(watcherCount());
    },
  });
}
