import { once } from 'node:events';
import { createServer, type Server, Socket } from 'node:net';

export interface Gate {
  /** The database's address through the gate. */
  readonly url: string;
  readonly server: Server;
  open(): void;
  cut(): void;
}

/** A way to the database that can be cut; at first it is. */
export async function startGate(databaseUrl: string): Promise<Gate> {
  const target = new URL(databaseUrl);
  let isOpen = false;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    if (!isOpen) return void socket.destroy();
    const onward = new Socket().connect(Number(target.port), target.hostname);
    for (const side of [socket, onward]) {
      sockets.add(side);
      side.on('error', () => {}).on('close', () => [socket, onward].map((one) => one.destroy()));
    }
    socket.pipe(onward).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as { port: number }).port}`;
  return {
    url: url.href,
    server,
    open: () => {
      isOpen = true;
    },
    cut: () => {
      isOpen = false;
      for (const socket of sockets) socket.destroy();
    },
  };
}
