import { keepListening } from '@jobber/db/listening';
import { describeUnknownError } from '@jobber/shared/errors';
import type { Scope } from '@jobber/shared/lifecycle';
import type { Logger } from '@jobber/shared/log';

/** What replicas of Jobs tell each other. Hints only: whoever misses one finds the truth in the rows. */
export interface Notifications {
  /** Tells everybody, this replica included, that tasks of these types are ready. */
  tasksReady(types: Iterable<string>): void;
  /** Tells everybody, this replica included, that these jobs have changed. */
  jobsChanged(ids: Iterable<number>): void;
  /** Tells everybody, this replica included, that these jobs were cancelled. */
  jobsCancelled(ids: Iterable<number>): void;
  onTasksReady(listener: (types: ReadonlySet<string>) => void): void;
  onJobsChanged(listener: (ids: ReadonlySet<number>) => void): void;
  onJobsCancelled(listener: (ids: ReadonlySet<number>) => void): void;
}

const TASKS_READY = 'tasks_ready';
const JOBS_CHANGED = 'jobs_changed';
const JOBS_CANCELLED = 'jobs_cancelled';
/** The channels whose payloads are ids of jobs. */
const JOB_CHANNELS = [JOBS_CHANGED, JOBS_CANCELLED] as const;
type JobChannel = (typeof JOB_CHANNELS)[number];
type JobsListener = (ids: ReadonlySet<number>) => void;
/** PostgreSQL's limit is 8,000 bytes; a list of ids that is longer is sent in parts. */
const MAX_IDS = 500;

const NOTIFY =
  'select pg_notify(channel, payload) from unnest($1::text[], $2::text[]) as m(channel, payload)';

/**
 * LISTEN and NOTIFY over a connection of its own. What is to be told is collected while an earlier NOTIFY is on its
 * way, never sent within the transactions of callers: commits with a NOTIFY wait for one another. While there is no
 * connection nothing is kept: other replicas poll.
 */
export function createNotifications(options: {
  databaseUrl: string;
  scope: Scope;
  log: Logger;
}): Notifications {
  const { log } = options;
  const readyListeners: ((types: ReadonlySet<string>) => void)[] = [];
  const jobListeners: Record<JobChannel, JobsListener[]> = { [JOBS_CHANGED]: [], [JOBS_CANCELLED]: [] };
  let types = new Set<string>();
  let ids: Record<JobChannel, Set<number>> = noIds();
  let sending = false;
  let heard = true;

  const listening = keepListening({
    databaseUrl: options.databaseUrl,
    applicationName: 'jobber-jobs-listen',
    channels: [TASKS_READY, ...JOB_CHANNELS],
    onNotification({ channel, payload, own }) {
      if (!own) receive(channel, payload);
    },
    onListening() {
      if (!heard) log.info('listening for changes again');
      heard = true;
    },
    onLost(error) {
      if (heard)
        log.warn({ error: describeUnknownError(error) }, 'not listening for changes; polling until it works');
      heard = false;
    },
  });
  options.scope.defer('notifications', () => listening.stop());

  function receive(channel: string, payload: string): void {
    const parts = payload.split(',');
    if (channel === TASKS_READY) for (const listener of readyListeners) listener(new Set(parts));
    else for (const listener of jobListeners[channel as JobChannel]) listener(new Set(parts.map(Number)));
  }

  function send(): void {
    if (sending || (types.size === 0 && JOB_CHANNELS.every((channel) => ids[channel].size === 0))) return;
    sending = true;
    setImmediate(async () => {
      const messages = takeMessages();
      try {
        await listening.query({
          name: 'notify',
          text: NOTIFY,
          values: [messages.map(([channel]) => channel), messages.map(([, payload]) => payload)],
        });
      } catch (error) {
        log.debug({ error: describeUnknownError(error) }, 'notify failed');
      }
      sending = false;
      send();
    });
  }

  function takeMessages(): [channel: string, payload: string][] {
    const messages: [string, string][] = [];
    if (types.size > 0) messages.push([TASKS_READY, [...types].join(',')]);
    for (const channel of JOB_CHANNELS) {
      const list = [...ids[channel]];
      for (let at = 0; at < list.length; at += MAX_IDS) {
        messages.push([channel, list.slice(at, at + MAX_IDS).join(',')]);
      }
    }
    types = new Set();
    ids = noIds();
    return messages;
  }

  function tellOfJobs(channel: JobChannel, told: Iterable<number>): void {
    const local = new Set(told);
    if (local.size === 0) return;
    for (const id of local) ids[channel].add(id);
    for (const listener of jobListeners[channel]) listener(local);
    send();
  }

  return {
    tasksReady(ready) {
      const local = new Set(ready);
      if (local.size === 0) return;
      for (const type of local) types.add(type);
      for (const listener of readyListeners) listener(local);
      send();
    },
    jobsChanged: (changed) => tellOfJobs(JOBS_CHANGED, changed),
    jobsCancelled: (cancelled) => tellOfJobs(JOBS_CANCELLED, cancelled),
    onTasksReady: (listener) => void readyListeners.push(listener),
    onJobsChanged: (listener) => void jobListeners[JOBS_CHANGED].push(listener),
    onJobsCancelled: (listener) => void jobListeners[JOBS_CANCELLED].push(listener),
  };
}

function noIds(): Record<JobChannel, Set<number>> {
  return { [JOBS_CHANGED]: new Set(), [JOBS_CANCELLED]: new Set() };
}
