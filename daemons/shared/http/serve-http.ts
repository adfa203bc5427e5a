import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Scope } from '@jobber/shared/lifecycle';
import type { Hono } from 'hono';

export interface ServeOptions {
  readonly app: Hono;
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly scope: Scope;
}

/** The versions of the API that this build understands, oldest and newest; clients say which side to upgrade. */
const API_VERSIONS = '1-1';

/** How long requests in flight may take to end once the server stops, in milliseconds. */
const DRAIN_MS = 10_000;

/** Listens, and defers the drain: no new connections, requests in flight end, then the rest is cut. @returns the port. */
export async function serveHttp({ app, host, port, scope }: ServeOptions): Promise<number> {
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  server.prependListener('request', (_, response) => response.setHeader('x-jobber-api', API_VERSIONS));
  // A header that never ends is cut; bodies may be slow (uploads), their edges bound them.
  server.headersTimeout = 15_000;
  server.requestTimeout = 0;
  server.keepAliveTimeout = 65_000;
  server.listen(port, host);
  await once(server, 'listening');
  scope.defer('http server', () => closeServer(server));
  return (server.address() as AddressInfo).port;
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(cut);
}
