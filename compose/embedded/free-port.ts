import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below the range from which Linux (32768–60999) and macOS (49152–65535) take the source ports of outgoing
// connections: a port found here is not lost to somebody's outgoing connection before it is used.
const LOWEST = 20_000;
const HIGHEST = 32_000;
const MOST_TRIES = 200;

// Ports handed out by this process: two callers that ask before either has opened its port must not get the same one.
const handedOut = new Set<number>();

/**
 * A port on which nobody listens at `host`, between 20000 and 31999, never given out before by this process; on
 * Linux neither by another one of ours that still runs. A foreign program can take it before it is opened: who
 * opens it must be ready to ask again.
 */
export async function findFreePort(host = '127.0.0.1'): Promise<number> {
  return await findFreePorts(1, host);
}

/** The first of `count` such ports in a row. */
export async function findFreePorts(count: number, host = '127.0.0.1'): Promise<number> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const first = randomInt(LOWEST, HIGHEST - count + 1);
    const ports = Array.from({ length: count }, (_, n) => first + n);
    if ((await Promise.all(ports.map((port) => takePort(port, host)))).every(Boolean)) return first;
  }
  const wanted = count === 1 ? 'No free port' : `No ${count} free ports in a row`;
  throw new Error(`${wanted} between ${LOWEST} and ${HIGHEST - 1} on ${host} after ${MOST_TRIES} tries.`);
}

async function takePort(port: number, host: string): Promise<boolean> {
  if (handedOut.has(port)) return false;
  handedOut.add(port);
  return (await reserve(port)) && (await isPortFree(port, host));
}

/**
 * Keeps other processes of ours from handing out the same port before it is opened, by a name that only one process can
 * listen on, and that is gone with it. Only Linux has such names (abstract sockets).
 */
async function reserve(port: number): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  return await new Promise((resolve, reject) => {
    const holder = createServer();
    holder.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    holder.listen(`\0jobber-port-${port}`, () => resolve(true)).unref();
  });
}

/**
 * Whether this process could listen on `port` at `host` now. Shown by listening for a moment; a port that this
 * process may not open for any other reason than that it is taken (such as 80 for an ordinary user) is an error.
 */
export async function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
