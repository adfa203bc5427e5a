import { setTimeout as sleep } from 'node:timers/promises';
import { SESSION_REVOKED } from '@jobber/db/auth';
import { keepListening } from '@jobber/db/listening';
import { AppError, describeUnknownError } from '@jobber/shared/errors';
import { createGroupCommit } from '@jobber/shared/group-commit';
import type { Scope } from '@jobber/shared/lifecycle';
import type { Logger } from '@jobber/shared/log';
import { LRUCache } from 'lru-cache';
import { createWatchers, MAX_WAIT_MS, type Watchers } from './watchers.ts';

/** Takes back the identities that other daemons keep, through whichever replica of Auth they are connected to. */
export interface Revocations extends Pick<Watchers, 'watch'> {
  /** Resolves when no daemon keeps the identity of this session, whose end is committed: after a second at the latest. */
  untilForgotten(sessionId: string): Promise<void>;
  /** For the stop of the daemon: whoever watches goes to another replica. */
  endStreams(): void;
  watcherCount(): number;
}

/** How often watchers are told that they may go on keeping identities, in milliseconds. */
const CONFIRM_EVERY_MS = 250;
/** On this channel replicas name, by id, revoked sessions that none of their watchers keeps any more. */
const SESSION_FORGOTTEN = 'session_forgotten';
const APPLICATION_NAME = 'jobber-auth-listen';
/** A replica that was there this many milliseconds ago may have left watchers behind that still keep identities. */
const REMEMBERED_MS = 2 * MAX_WAIT_MS;

const FIND_REPLICAS = `select pid from pg_stat_activity
  where datname = current_database() and application_name = '${APPLICATION_NAME}'`;
const TELL_FORGOTTEN = `select pg_notify('${SESSION_FORGOTTEN}', id) from unnest($1::text[]) as forgotten(id)`;

/**
 * The database notifies each replica of each revocation. A replica tells its watchers, and tells the other replicas when
 * its own have forgotten. Watchers are confirmed only after a round trip to the database over the connection that
 * listens, so that nobody is confirmed who misses a revocation; while there is no such connection nobody may watch.
 */
export function createRevocations(options: { databaseUrl: string; scope: Scope; log: Logger }): Revocations {
  const { databaseUrl, scope, log } = options;
  const watchers = createWatchers({ log });
  /** Server processes that listen for replicas of Auth, and when each was last seen. */
  const replicas = new Map<number, number>();
  const forgotten = new LRUCache<string, Set<number>>({ max: 10_000, ttl: 5_000 });
  const waiting = new Map<string, Set<() => void>>();
  const stopping = new AbortController();
  let listeningSince = Number.POSITIVE_INFINITY;
  let lost = false;

  const listening = keepListening({
    databaseUrl,
    applicationName: APPLICATION_NAME,
    channels: [SESSION_REVOKED, SESSION_FORGOTTEN],
    onNotification({ channel, payload: sessionId, processId }) {
      if (channel === SESSION_REVOKED) void forget(sessionId);
      else hearForgotten(sessionId, processId);
    },
    onListening() {
      listeningSince = performance.now();
      if (lost) log.info('listening for revocations again');
      lost = false;
    },
    onLost(error) {
      listeningSince = Number.POSITIVE_INFINITY;
      watchers.endAll('the database does not answer');
      if (!lost)
        log.warn({ error: describeUnknownError(error) }, 'not listening for revocations; trying again');
      lost = true;
    },
  });

  const tellForgotten = createGroupCommit<string, undefined>({
    maxBatch: 1_000,
    concurrency: 1,
    async run(sessionIds) {
      await listening.query({ name: 'tell-forgotten', text: TELL_FORGOTTEN, values: [sessionIds] });
      return sessionIds.map(() => undefined);
    },
  });

  async function forget(sessionId: string): Promise<void> {
    await watchers.revoke([sessionId]);
    await tellForgotten.submit(sessionId).catch((error: unknown) => {
      // Whoever waits for it waits for its second, after which nobody keeps the session anyhow.
      log.debug({ error: describeUnknownError(error) }, 'the other replicas could not be told');
    });
  }

  function hearForgotten(sessionId: string, processId: number): void {
    const by = forgotten.get(sessionId) ?? new Set();
    forgotten.set(sessionId, by.add(processId));
    for (const look of waiting.get(sessionId) ?? []) look();
  }

  async function lookForReplicas(): Promise<void> {
    const rows = await listening.query<{ pid: number }>({ name: 'find-replicas', text: FIND_REPLICAS });
    const now = performance.now();
    for (const { pid } of rows) replicas.set(pid, now);
    for (const [pid, seenAt] of replicas) if (now - seenAt > REMEMBERED_MS) replicas.delete(pid);
  }

  async function confirmRegularly(): Promise<void> {
    while (!stopping.signal.aborted) {
      const confirm = watchers.prepareConfirmation();
      // A failure gives the connection up, and `onLost` the watchers.
      await lookForReplicas().then(confirm, () => {});
      await sleep(CONFIRM_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  const confirming = confirmRegularly();
  scope.defer('revocations', async () => {
    stopping.abort();
    watchers.endAll('Auth stops');
    await confirming;
    await listening.stop();
  });

  return {
    async *watch(acknowledgements, gone) {
      if (stopping.signal.aborted || listening.processId === undefined) {
        throw new AppError('UNAVAILABLE', "Auth can't tell of revocations at the moment; try again");
      }
      yield* watchers.watch(acknowledgements, gone);
    },
    async untilForgotten(sessionId) {
      const latest = AbortSignal.timeout(MAX_WAIT_MS);
      // Who has left just before this replica began to listen is not known to it.
      const mayKnow = performance.now() - listeningSince > MAX_WAIT_MS;
      let knowsReplicas = false;
      await new Promise<void>((resolve) => {
        const looks = waiting.get(sessionId) ?? new Set();
        waiting.set(sessionId, looks);
        const look = () => {
          const by = forgotten.get(sessionId);
          const byAll = knowsReplicas && [...replicas.keys()].every((replica) => by?.has(replica));
          if (!byAll && !latest.aborted) return;
          latest.removeEventListener('abort', look);
          looks.delete(look);
          if (looks.size === 0) waiting.delete(sessionId);
          resolve();
        };
        looks.add(look);
        latest.addEventListener('abort', look);
        lookForReplicas().then(
          () => {
            knowsReplicas = mayKnow;
            look();
          },
          () => {},
        );
      });
    },
    endStreams() {
      stopping.abort();
      watchers.endAll('Auth stops');
    },
    watcherCount: () => watchers.count,
  };
}
