import { setTimeout as delay } from 'node:timers/promises';
import {
  ChannelCredentials,
  type CompatServiceDefinition,
  createChannel,
  createClientFactory,
  createServer,
  Metadata,
  ServerError,
  Status,
} from 'nice-grpc';

/**
 * What becomes of a method's calls that have one answer; streams of answers pass as they are, but for the one that
 * carries acknowledgements: they are made as calls while those have a fault.
 *
 * - doubled: each is made twice at the same time, as by a caller who tries again while the first try is under way.
 * - repeated: each is made again after its answer, as by a caller who has not heard it.
 * - reordered: a call waits until the next one of the same method has been answered, or for 300 ms.
 */
export type MessageFault = 'doubled' | 'repeated' | 'reordered';

export interface GrpcRelay {
  readonly port: number;
  /** By the method's name, such as acknowledgeJob. */
  inject(method: string, fault: MessageFault): void;
  /** How many calls the fault has hit. */
  readonly hits: () => number;
  close(): Promise<void>;
}

interface Method {
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

interface CallContext {
  readonly metadata: Metadata;
  readonly signal: AbortSignal;
}

type Call = (request: unknown, options: { metadata: Metadata; signal: AbortSignal }) => unknown;

const MAX_BYTES = { 'grpc.max_receive_message_length': 8 << 20, 'grpc.max_send_message_length': 8 << 20 };
const HELD_MS = 300;

/** Serves `definition` and passes each call on to the real service at `targetPort`, with its caller's credential. */
export async function startGrpcRelay(
  definition: CompatServiceDefinition,
  targetPort: number,
): Promise<GrpcRelay> {
  const channel = createChannel(`127.0.0.1:${targetPort}`, ChannelCredentials.createInsecure(), MAX_BYTES);
  const client = createClientFactory().create(definition, channel) as unknown as Record<string, Call>;
  const faults = new Map<string, MessageFault>();
  const held = new Map<string, () => void>();
  let hits = 0;

  /** Waits for the call behind this one; the one behind does not wait. */
  async function takeTurn(name: string): Promise<void> {
    if (held.has(name)) return;
    const overtaken = Promise.withResolvers<void>();
    held.set(name, overtaken.resolve);
    hits += 1;
    await Promise.race([overtaken.promise, delay(HELD_MS)]);
    if (held.get(name) === overtaken.resolve) held.delete(name);
  }

  async function pass(
    name: string,
    request: () => unknown,
    { metadata, signal }: CallContext,
  ): Promise<unknown> {
    const call = () => client[name]?.(request(), { metadata: new Metadata(metadata), signal });
    const fault = faults.get(name);
    if (fault === 'doubled') {
      hits += 1;
      const second = Promise.resolve(call()).catch(() => {});
      const answer = await call();
      await second;
      return answer;
    }
    if (fault === 'repeated') {
      hits += 1;
      const answer = await call();
      await Promise.resolve(call()).catch(() => {});
      return answer;
    }
    if (fault !== 'reordered') return await call();
    await takeTurn(name);
    const answer = await call();
    held.get(name)?.();
    held.delete(name);
    return answer;
  }

  /** Refused, so that its requests are made as the calls that a fault is there for. */
  const isReplaced = (name: string) => name === 'reportOutcomes' && faults.has('acknowledgeJob');

  function relayed(name: string, { requestStream, responseStream }: Method): Call {
    if (responseStream) {
      return async function* stream(request, context) {
        if (isReplaced(name)) throw new ServerError(Status.UNIMPLEMENTED, 'Not through this relay');
        const { metadata, signal } = context;
        yield* client[name]?.(request, {
          metadata: new Metadata(metadata),
          signal,
        }) as AsyncIterable<unknown>;
      };
    }
    if (!requestStream) return (request, context) => pass(name, () => request, context);
    return async (requests, context) => {
      const kept: unknown[] = [];
      for await (const request of requests as AsyncIterable<unknown>) kept.push(request);
      return pass(name, () => fromArray(kept), context);
    };
  }

  const methods = Object.entries(definition.methods as unknown as Record<string, Method>);
  const implementation = Object.fromEntries(methods.map(([name, method]) => [name, relayed(name, method)]));
  const server = createServer(MAX_BYTES);
  server.add(definition, implementation as never);
  const port = await server.listen('127.0.0.1:0');
  return {
    port,
    inject: (method, fault) => void faults.set(method, fault),
    hits: () => hits,
    async close() {
      server.forceShutdown();
      channel.close();
    },
  };
}

async function* fromArray(values: readonly unknown[]): AsyncGenerator<unknown> {
  yield* values;
}
