import { setTimeout as sleep } from 'node:timers/promises';
import { describeUnknownError } from '@jobber/shared/errors';
import type { Scope } from '@jobber/shared/lifecycle';
import type { Logger } from '@jobber/shared/log';
import { Client } from 'pg';

/** What replicas of Jobs tell each other. Hints only: whoever misses one finds the truth in the rows. */
export interface Notifications {
  /** Tells everybody, this replica included, that tasks of these types are ready. */
  tasksReady(types: Iterable<string>): void;
  /** Tells everybody, this replica included, that these jobs have changed. */
  jobsChanged(ids: Iterable<number>): void;
  onTasksReady(listener: (types: ReadonlySet<string>) => void): void;
  onJobsChanged(listener: (ids: ReadonlySet<number>) => void): void;
}

const TASKS_READY = 'tasks_ready';
const JOBS_CHANGED = 'jobs_changed';
/** PostgreSQL's limit is 8,000 bytes; a list of ids that is longer is sent in parts. */
const MAX_IDS = 500;
const MAX_RECONNECT_MS = 2_000;

/**
 * LISTEN and NOTIFY over a connection of its own. What is to be told is collected while an earlier NOTIFY is on its
 * way, never sent within the transactions of callers: commits with a NOTIFY wait for one another.
 */
export function createNotifications(options: {
  databaseUrl: string;
  scope: Scope;
  log: Logger;
}): Notifications {
  const { log } = options;
  const readyListeners: ((types: ReadonlySet<string>) => void)[] = [];
  const changeListeners: ((ids: ReadonlySet<number>) => void)[] = [];
  const stop = new AbortController();
  let client: Client | undefined;
  let types = new Set<string>();
  let ids = new Set<number>();
  let sending = false;

  function receive(channel: string, payload: string): void {
    const parts = payload.split(',');
    if (channel === TASKS_READY) for (const listener of readyListeners) listener(new Set(parts));
    else for (const listener of changeListeners) listener(new Set(parts.map(Number)));
  }

  async function listen(): Promise<void> {
    for (let delay = 100; !stop.signal.aborted; delay = Math.min(delay * 2, MAX_RECONNECT_MS)) {
      const connection = new Client({
        connectionString: options.databaseUrl,
        application_name: 'jobber-jobs-listen',
        keepAlive: true,
      });
      const ended = new Promise<void>((resolve) => connection.once('end', resolve));
      connection.on('error', (error) =>
        log.debug({ error: describeUnknownError(error) }, 'listening interrupted'),
      );
      connection.on('notification', ({ processId, channel, payload = '' }) => {
        if (processId !== connectionPid(connection)) receive(channel, payload);
      });
      try {
        await connection.connect();
        // A lost notification is found by polling: it need not wait for the disk.
        await connection.query(`set synchronous_commit = off; listen ${TASKS_READY}; listen ${JOBS_CHANGED}`);
        client = connection;
        delay = 100;
        send();
        await ended;
      } catch (error) {
        log.debug({ error: describeUnknownError(error) }, 'listening failed');
        await connection.end().catch(() => {});
      }
      client = undefined;
      await sleep(delay, undefined, { signal: stop.signal }).catch(() => {});
    }
  }

  function send(): void {
    if (sending || !client || (types.size === 0 && ids.size === 0)) return;
    sending = true;
    setImmediate(async () => {
      const messages: [string, string][] = [];
      if (types.size > 0) messages.push([TASKS_READY, [...types].join(',')]);
      const list = [...ids];
      for (let at = 0; at < list.length; at += MAX_IDS) {
        messages.push([JOBS_CHANGED, list.slice(at, at + MAX_IDS).join(',')]);
      }
      types = new Set();
      ids = new Set();
      try {
        await client?.query({
          name: 'notify',
          text: 'select pg_notify(channel, payload) from unnest($1::text[], $2::text[]) as m(channel, payload)',
          values: [messages.map(([channel]) => channel), messages.map(([, payload]) => payload)],
        });
      } catch (error) {
        log.debug({ error: describeUnknownError(error) }, 'notify failed');
      }
      sending = false;
      send();
    });
  }

  const listening = listen();
  options.scope.defer('notifications', async () => {
    stop.abort();
    await client?.end().catch(() => {});
    await listening;
  });

  return {
    tasksReady(ready) {
      const local = new Set(ready);
      for (const type of local) types.add(type);
      for (const listener of readyListeners) listener(local);
      send();
    },
    jobsChanged(changed) {
      const local = new Set(changed);
      for (const id of local) ids.add(id);
      for (const listener of changeListeners) listener(local);
      send();
    },
    onTasksReady: (listener) => void readyListeners.push(listener),
    onJobsChanged: (listener) => void changeListeners.push(listener),
  };
}

function connectionPid(connection: Client): number {
  return (connection as unknown as { processID: number }).processID;
}
