import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Health } from '@jobber/shared/health';
import type { Scope } from '@jobber/shared/lifecycle';
import type { Hono } from 'hono';

export interface ServeOptions {
  readonly app: Hono;
  /** Where it listens; port 0 lets the system choose. */
  readonly config: { readonly host: string; readonly port: number };
  /** While it drains clients should go elsewhere: each answer then ends its connection. */
  readonly health: Pick<Health, 'isDraining'>;
  readonly scope: Scope;
}

/** The versions of the API that this build understands, oldest and newest; clients say which side to upgrade. */
const API_VERSIONS = '1-1';

/** How long requests in flight may take to end once the server stops, in milliseconds. */
const DRAIN_MS = 10_000;
/** How long a connection without a request stays open once the server stops, in milliseconds. */
const IDLE_MS = 300;

/**
 * Listens, and defers the drain: no new connections; what stands is told with its next answer to go elsewhere, or closed
 * when it asks nothing; requests in flight end; then the rest is cut. @returns the port.
 */
export async function serveHttp({ app, config, health, scope }: ServeOptions): Promise<number> {
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  const open = new Set<ServerResponse>();
  /** Connections that have asked nothing yet. */
  const silent = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.prependListener('request', ({ socket }, response) => {
    silent.delete(socket);
    response.setHeader('x-jobber-api', API_VERSIONS);
    if (!server.listening || health.isDraining()) response.setHeader('connection', 'close');
    open.add(response);
    response.once('close', () => open.delete(response));
  });
  // A header that never ends is cut; bodies may be slow (uploads), their edges bound them.
  server.headersTimeout = 15_000;
  server.requestTimeout = 0;
  server.keepAliveTimeout = 65_000;
  server.listen(config.port, config.host);
  await once(server, 'listening');
  scope.defer('http server', () => closeServer(server, open, silent));
  return (server.address() as AddressInfo).port;
}

async function closeServer(
  server: Server,
  open: ReadonlySet<ServerResponse>,
  silent: ReadonlySet<Socket>,
): Promise<void> {
  const closed = once(server, 'close');
  // Not HTTP's own close(): it cuts connections between two requests, and loses the next one of a busy client.
  NetServer.prototype.close.call(server);
  for (const response of open) if (!response.headersSent) response.setHeader('connection', 'close');
  function closeIdle(): void {
    server.closeIdleConnections();
    // To HTTP a connection is idle only after its first answer.
    for (const socket of silent) if (socket.bytesRead === 0) socket.destroy();
  }
  // What has arrived by then is read first, however busy the daemon was.
  const idle = setInterval(() => setImmediate(closeIdle), IDLE_MS);
  const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
}
