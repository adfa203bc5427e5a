import { ChannelCredentials } from '@grpc/grpc-js';
import type { GrpcTls } from '@jobber/shared/config';
import type { Scope } from '@jobber/shared/lifecycle';
import {
  type CallOptions,
  type Client,
  type CompatServiceDefinition,
  createChannel,
  createClientFactory,
  Metadata,
} from 'nice-grpc';
import { PROTOCOL, PROTOCOL_HEADER } from './protocol-version.ts';
import { CALLER_HEADER, type CallerName, CREDENTIAL_HEADER, credentialOf } from './service-credential.ts';

export interface GrpcClientOptions {
  /** host:port */
  readonly address: string;
  /** Who calls. */
  readonly caller: CallerName;
  readonly serviceSecret: string;
  readonly tls: GrpcTls | undefined;
  readonly scope: Scope;
}

const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

/**
 * A client that presents the caller's service credential with each call, and connects directly, whatever proxy the
 * environment names. Give calls a `deadline`.
 */
export function createGrpcClient<Service extends CompatServiceDefinition>(
  definition: Service,
  options: GrpcClientOptions,
): Client<Service> {
  const channel = createChannel(options.address, credentials(options.tls), {
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 500,
    // Each client has its own connection: two daemons in one test process must not share their fate.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.service_config_disable_resolution': 1,
    // http_proxy and its like are about the internet; a proxy out there would reach none of our daemons.
    'grpc.enable_http_proxy': 0,
  });
  options.scope.defer(`grpc client of ${options.address}`, () => channel.close());
  const metadata = new Metadata({
    [CALLER_HEADER]: options.caller,
    [CREDENTIAL_HEADER]: credentialOf(options.caller, options.serviceSecret),
    [PROTOCOL_HEADER]: String(PROTOCOL.newest),
  });
  return createClientFactory()
    .use((call, callOptions) => {
      const merged = new Metadata(callOptions.metadata);
      for (const [key, values] of metadata) merged.set(key, values as string[]);
      return call.next(call.request, { ...callOptions, metadata: merged });
    })
    .create(definition, channel);
}

function credentials(tls: GrpcTls | undefined): ChannelCredentials {
  if (!tls) return ChannelCredentials.createInsecure();
  return ChannelCredentials.createSsl(
    Buffer.from(tls.ca),
    Buffer.from(tls.key),
    Buffer.from(tls.certificate),
  );
}

/**
 * Options of one call: it gives up after `ms` milliseconds, or earlier with `signal`. The timer ends with the call;
 * `AbortSignal.timeout` would stay for the whole time and then make an error, at each call.
 */
export function deadline(ms: number, signal?: AbortSignal): Pick<CallOptions, 'signal' | 'onTrailer'> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ms).unref();
  return {
    signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
    onTrailer: () => clearTimeout(timer),
  };
}
