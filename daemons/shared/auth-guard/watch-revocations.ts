import { setTimeout as sleep } from 'node:timers/promises';
import type { AuthServiceClient, WatchRevocationsRequest } from '@jobber/proto/auth/v1/auth';
import { describeUnknownError } from '@jobber/shared/errors';
import { createOutbox } from '@jobber/shared/grpc';
import type { Scope } from '@jobber/shared/lifecycle';
import type { Logger } from '@jobber/shared/log';
import type { IdentityCache } from './identity-cache.ts';

const MIN_RECONNECT_MS = 100;
const MAX_RECONNECT_MS = 2_000;
/** Auth says something every 250 ms. */
const SILENCE_MS = 2_000;

/** Lets Auth take back what the cache keeps, until the daemon stops. Without a stream from Auth nothing is kept. */
export function watchRevocations(options: {
  client: Pick<AuthServiceClient, 'watchRevocations'>;
  cache: IdentityCache;
  scope: Scope;
  log: Logger;
}): void {
  const { client, cache, log } = options;
  const stopping = new AbortController();
  let delay = MIN_RECONNECT_MS;
  let standing = false;

  async function watchAgainAndAgain(): Promise<void> {
    while (!stopping.signal.aborted) {
      const problem = await watch().then(() => 'Auth ended the stream', describeUnknownError);
      cache.close();
      if (standing && !stopping.signal.aborted) {
        log.info({ problem }, 'no revocations from Auth; asking it about each request');
      }
      standing = false;
      await sleep(delay, undefined, { signal: stopping.signal }).catch(() => {});
      delay = Math.min(delay * 2, MAX_RECONNECT_MS);
    }
  }

  /** One stream, to its end. */
  async function watch(): Promise<void> {
    const outbox = createOutbox<WatchRevocationsRequest>();
    /** When messages that have not been confirmed yet were acknowledged, in their order. */
    const acknowledgedAt = new Map<number, number>();
    const silent = new AbortController();
    const silence = setTimeout(() => silent.abort(), SILENCE_MS);
    const signal = AbortSignal.any([stopping.signal, silent.signal]);
    try {
      for await (const { number, confirmed, sessionIds } of client.watchRevocations(outbox, { signal })) {
        silence.refresh();
        if (!standing) onStanding();
        cache.forget(sessionIds);
        const at = acknowledgedAt.get(confirmed);
        if (at !== undefined) cache.confirm(at);
        for (const earlier of acknowledgedAt.keys()) {
          if (earlier < confirmed) acknowledgedAt.delete(earlier);
        }
        acknowledgedAt.set(number, performance.now());
        outbox.send({ acknowledged: number });
      }
    } finally {
      clearTimeout(silence);
      outbox.end();
    }
  }

  function onStanding(): void {
    standing = true;
    delay = MIN_RECONNECT_MS;
    cache.open();
    log.info('keeping identities until Auth takes them back');
  }

  const watching = watchAgainAndAgain();
  options.scope.defer('revocations', async () => {
    stopping.abort();
    await watching;
  });
}
