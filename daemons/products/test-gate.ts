import { once } from 'node:events';
import { createServer, type Server, Socket } from 'node:net';

export interface Gate {
  /** The database's address through the gate. */
  readonly url: string;
  readonly server: Server;
  open(): void;
  /** Connections are refused and the present ones end. */
  cut(): void;
  /** Connections are taken and kept, and nothing passes: a network that swallows everything. */
  silence(): void;
}

/** A way to the database that can be cut or silenced; at first it is cut. */
export async function startGate(databaseUrl: string): Promise<Gate> {
  const target = new URL(databaseUrl);
  let state: 'open' | 'cut' | 'silent' = 'cut';
  const sockets = new Set<Socket>();
  const dropAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((socket) => {
    if (state === 'cut') return void socket.destroy();
    const onward = new Socket().connect(Number(target.port), target.hostname);
    for (const side of [socket, onward]) {
      sockets.add(side);
      side.on('error', () => {}).on('close', () => [socket, onward].map((one) => one.destroy()));
    }
    const passing = () => state !== 'silent';
    socket.on('data', (chunk) => passing() && onward.write(chunk));
    onward.on('data', (chunk) => passing() && socket.write(chunk));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as { port: number }).port}`;
  return {
    url: url.href,
    server,
    open() {
      // What was swallowed is lost, so its connections are of no use any more.
      if (state === 'silent') dropAll();
      state = 'open';
    },
    cut() {
      state = 'cut';
      dropAll();
    },
    silence() {
      state = 'silent';
    },
  };
}
