import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * What happens on an edge. TCP is a stream that delivers its bytes once and in order: whole messages can be doubled and
 * reordered only by something that knows where they begin (grpc-relay.ts).
 *
 * - cut: connections are reset, new ones too.
 * - delayed: each piece of data arrives `ms` later, in both directions.
 * - black hole: connections open, and nothing passes in either direction. What was held passes once it heals, as TCP
 *   sends lost packets again.
 * - replies dropped: what the client sends arrives, what the server answers does not; when it heals these connections
 *   are reset, because bytes are missing from them.
 */
export type EdgeFault =
  | { readonly kind: 'cut' }
  | { readonly kind: 'delayed'; readonly ms: number }
  | { readonly kind: 'black hole' }
  | { readonly kind: 'replies dropped' };

export interface TcpProxy {
  /** On 127.0.0.1. */
  readonly port: number;
  inject(fault: EdgeFault): void;
  heal(): void;
  /** From now on connections go to another port; those that stand are reset. */
  leadTo(port: number): void;
  /** How many are open at the moment. */
  connections(): number;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Bytes are missing from it. */
  damaged: boolean;
}

/** A proxy on 127.0.0.1 that leads to `targetPort` there. @param port 0 (the default) lets the system choose */
export async function startTcpProxy(targetPort: number, port = 0): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let target = targetPort;
  let fault: EdgeFault | undefined;
  let healed = Promise.withResolvers<void>();

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    if (fault?.kind === 'cut') {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    open(client);
  });
  listener.listen(port, '127.0.0.1');
  await once(listener, 'listening');

  function open(client: Socket): void {
    const server = connect({ host: '127.0.0.1', port: target, allowHalfOpen: true, noDelay: true });
    const pair: Pair = { client, server, damaged: false };
    pairs.add(pair);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => {
        pairs.delete(pair);
        other.destroy();
      });
      one.on('end', () => {
        void passage(pair, one === server).then((passes) => passes && other.end());
      });
      one.on('data', (chunk) => {
        one.pause();
        void carry(pair, chunk, one, other).finally(() => one.resume());
      });
    }
  }

  async function carry(pair: Pair, chunk: Buffer, from: Socket, to: Socket): Promise<void> {
    if (!(await passage(pair, from === pair.server))) {
      pair.damaged = true;
      return;
    }
    if (to.destroyed || to.write(chunk)) return;
    await new Promise<void>((resolve) => {
      to.once('drain', resolve);
      to.once('close', resolve);
    });
  }

  /** @returns whether data may pass, once that is known */
  async function passage(pair: Pair, isReply: boolean): Promise<boolean> {
    while (fault?.kind === 'black hole') await healed.promise;
    if (fault?.kind === 'delayed') await delay(fault.ms);
    // A stream with a gap must not go on.
    return !(isReply && (fault?.kind === 'replies dropped' || pair.damaged));
  }

  function reset(condition: (pair: Pair) => boolean): void {
    for (const pair of [...pairs].filter(condition)) {
      pair.client.resetAndDestroy();
      pair.server.resetAndDestroy();
    }
  }

  return {
    port: (listener.address() as AddressInfo).port,
    inject(next) {
      fault = next;
      if (next.kind === 'cut') reset(() => true);
    },
    heal() {
      fault = undefined;
      healed.resolve();
      healed = Promise.withResolvers();
      reset(({ damaged }) => damaged);
    },
    leadTo(next) {
      target = next;
      reset(() => true);
    },
    connections: () => pairs.size,
    async close() {
      reset(() => true);
      listener.close();
      await once(listener, 'close');
    },
  };
}
