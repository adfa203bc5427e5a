import {
  type PostgresServer,
  type ServerExit,
  type StartPostgresOptions,
  startPostgres,
} from '../postgres/index.ts';
import { type BackoffRule, createBackoff } from './backoff.ts';

export type PostgresEvent =
  | { readonly kind: 'ended'; readonly how: string; readonly restartInMs: number }
  | { readonly kind: 'not restarted'; readonly why: string; readonly restartInMs: number }
  | { readonly kind: 'restarted'; readonly pid: number };

export interface SupervisedPostgres {
  readonly adminUrl: string;
  readonly port: number;
  /** Undefined between two runs. */
  pid(): number | undefined;
  stop(options?: { atOnce: boolean }): Promise<void>;
}

/**
 * Starts PostgreSQL and keeps it running, at the same port.
 * @throws PostgresError when the first start fails
 */
export async function supervisePostgres(
  options: StartPostgresOptions & { onEvent: (event: PostgresEvent) => void; backoff?: BackoffRule },
): Promise<SupervisedPostgres> {
  const { onEvent } = options;
  const nextDelay = createBackoff(options.backoff);
  let stopping = false;
  let timer: NodeJS.Timeout | undefined;
  let starting: Promise<void> | undefined;
  let server: PostgresServer | undefined;
  let startedAt = 0;

  function adopt(started: PostgresServer): void {
    server = started;
    startedAt = performance.now();
    started.onExit((exit) => {
      server = undefined;
      if (!stopping)
        scheduleRestart((restartInMs) => ({ kind: 'ended', how: describeExit(exit), restartInMs }));
    });
  }

  function scheduleRestart(event: (restartInMs: number) => PostgresEvent): void {
    const restartInMs = nextDelay(performance.now() - startedAt);
    timer = setTimeout(() => {
      starting = restart();
    }, restartInMs);
    onEvent(event(restartInMs));
  }

  async function restart(): Promise<void> {
    startedAt = performance.now();
    try {
      const started = await startPostgres({ ...options, port });
      adopt(started);
      onEvent({ kind: 'restarted', pid: started.pid });
    } catch (error) {
      if (stopping) return;
      const why = error instanceof Error ? error.message : String(error);
      scheduleRestart((restartInMs) => ({ kind: 'not restarted', why, restartInMs }));
    }
  }

  const first = await startPostgres(options);
  const { adminUrl, port } = first;
  adopt(first);
  return {
    adminUrl,
    port,
    pid: () => server?.pid,
    async stop({ atOnce } = { atOnce: false }) {
      stopping = true;
      clearTimeout(timer);
      // A start can't be interrupted, but what it started can be stopped.
      await starting;
      await server?.stop({ mode: atOnce ? 'immediate' : 'fast' });
    },
  };
}

function describeExit({ code, signal }: ServerExit): string {
  return signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
}
