import { once } from 'node:events';
import { createServer, Socket } from 'node:net';

/**
 * A way to a test's database that can be closed as a stopped server would close it, or fall silent as a lost network
 * does. At first it is open.
 */
export interface DatabaseGate {
  /** The database's address through the gate. */
  readonly url: string;
  open(): void;
  /** All connections break off, and new ones are refused. */
  cut(): void;
  /** Connections are taken and kept, and nothing passes any more. */
  fallSilent(): void;
  /** For the end of the test. */
  close(): void;
}

/**
 * An outage is told within 5 s: daemons give up after some 4 s. What the machine stands still comes on top, in
 * milliseconds; without a limit it would be half a minute, or for ever.
 */
export const SOON_MS = 20_000;

export async function startDatabaseGate(databaseUrl: string): Promise<DatabaseGate> {
  const target = new URL(databaseUrl);
  let state: 'open' | 'cut' | 'silent' = 'open';
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    if (state === 'cut') return void socket.resetAndDestroy();
    const onward = new Socket().connect(Number(target.port), target.hostname);
    onward.on('error', () => {});
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
    socket.on('data', (chunk) => state === 'open' && onward.write(chunk));
    onward.on('data', (chunk) => state === 'open' && socket.write(chunk));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as { port: number }).port}`;

  function breakOff(): void {
    for (const socket of sockets) socket.resetAndDestroy();
  }
  return {
    url: url.href,
    open() {
      // What was silent does not wake up half-way.
      if (state === 'silent') breakOff();
      state = 'open';
    },
    cut() {
      state = 'cut';
      breakOff();
    },
    fallSilent() {
      state = 'silent';
    },
    close() {
      server.close();
      breakOff();
    },
  };
}
