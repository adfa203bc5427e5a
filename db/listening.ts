import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';

export interface Notification {
  readonly channel: string;
  readonly payload: string;
  /** The server process of whoever has sent it. */
  readonly processId: number;
  /** Sent through this listening connection itself. */
  readonly own: boolean;
}

export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values?: unknown[];
}

export interface ListeningOptions {
  /** postgresql://user:password@host:port/database */
  readonly databaseUrl: string;
  readonly applicationName: string;
  /** Names that need no quotes. */
  readonly channels: readonly string[];
  readonly onNotification: (notification: Notification) => void;
  /** It listens, for the first time or anew. What was sent before is not heard. */
  readonly onListening: () => void;
  /** The connection is lost, or could not be made; it is tried again soon. */
  readonly onLost: (error: unknown) => void;
}

/** A connection of its own that LISTENs, and comes back whenever it is lost. */
export interface Listening {
  /** Undefined while there is no connection. */
  readonly processId: number | undefined;
  /**
   * Sends a statement through the listening connection: notifications that were committed before it starts have been
   * heard when it is answered. A failure gives the connection up.
   * @throws when there is no connection, or the server is silent for 4 s
   */
  query<Row>(statement: Statement): Promise<Row[]>;
  stop(): Promise<void>;
}

const MIN_RECONNECT_MS = 100;
const MAX_RECONNECT_MS = 2_000;
/** A server that does not answer for this many milliseconds is gone: a connection can be dead without a word. */
const SILENCE_MS = 4_000;

export function keepListening(options: ListeningOptions): Listening {
  const stopping = new AbortController();
  let current: { connection: Client; processId: number; drop: () => void } | undefined;
  /** The statement before the next one: a connection runs one at a time. */
  let before: Promise<unknown> = Promise.resolve();

  async function listenAgainAndAgain(): Promise<void> {
    let delay = MIN_RECONNECT_MS;
    while (!stopping.signal.aborted) {
      try {
        await listen(() => {
          delay = MIN_RECONNECT_MS;
        });
      } catch (error) {
        if (!stopping.signal.aborted) options.onLost(error);
      }
      await sleep(delay, undefined, { signal: stopping.signal }).catch(() => {});
      delay = Math.min(delay * 2, MAX_RECONNECT_MS);
    }
  }

  /** Listens until the connection ends, which is always an error unless we stop. */
  async function listen(onListening: () => void): Promise<void> {
    const connection = new Client({
      connectionString: options.databaseUrl,
      application_name: options.applicationName,
      keepAlive: true,
      connectionTimeoutMillis: SILENCE_MS,
      query_timeout: SILENCE_MS,
    });
    let drop: () => void = () => {};
    let failure: unknown = new Error('the connection has ended');
    const ended = new Promise<void>((resolve) => {
      drop = resolve;
      connection.once('end', resolve);
      stopping.signal.addEventListener('abort', drop);
    });
    connection.on('error', (error) => {
      failure = error;
    });
    connection.on('notification', ({ processId, channel, payload = '' }) => {
      options.onNotification({ channel, payload, processId, own: processId === current?.processId });
    });
    try {
      await connection.connect();
      const listens = options.channels.map((channel) => `listen ${channel}`);
      // A notification need not wait for the disk: what it tells of has been committed.
      await connection.query(['set synchronous_commit = off', ...listens].join('; '));
      current = { connection, processId: processIdOf(connection), drop };
      onListening();
      options.onListening();
      await ended;
      if (!stopping.signal.aborted) throw failure;
    } finally {
      current = undefined;
      stopping.signal.removeEventListener('abort', drop);
      // Not awaited: a server that is silent never says goodbye.
      connection.end().catch(() => {});
    }
  }

  async function query<Row>(statement: Statement): Promise<Row[]> {
    const through = current;
    if (!through) throw new Error('there is no connection to the database at the moment');
    try {
      const { rows } = await through.connection.query(statement);
      return rows as Row[];
    } catch (error) {
      through.drop();
      throw error;
    }
  }

  const listening = listenAgainAndAgain();
  return {
    get processId() {
      return current?.processId;
    },
    query<Row>(statement: Statement) {
      const turn = before.then(() => query<Row>(statement));
      before = turn.catch(() => {});
      return turn;
    },
    async stop() {
      stopping.abort();
      await listening;
    },
  };
}

function processIdOf(connection: Client): number {
  return (connection as unknown as { processID: number }).processID;
}
