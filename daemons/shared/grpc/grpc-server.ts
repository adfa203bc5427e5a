import { ServerCredentials } from '@grpc/grpc-js';
import type { GrpcTls } from '@jobber/shared/config';
import { type ClassifyError, describeUnknownError, isAppError } from '@jobber/shared/errors';
import type { Scope } from '@jobber/shared/lifecycle';
import type { Logger } from '@jobber/shared/log';
import { type CompatServiceDefinition, createServer, type ServiceImplementation } from 'nice-grpc';
import {
  type CallContext,
  ServerError,
  type ServerMiddleware,
  type ServerMiddlewareCall,
  Status,
} from 'nice-grpc-common';
import { toServerError } from './grpc-errors.ts';
import { PROTOCOL_HEADER, protocolProblem } from './protocol-version.ts';
import {
  CALLER_HEADER,
  type CallerName,
  CREDENTIAL_HEADER,
  createCredentialCheck,
} from './service-credential.ts';

/** A service, and who may call which of its methods. A method without an entry is closed to everyone. */
export interface ServedService<Service extends CompatServiceDefinition = CompatServiceDefinition> {
  readonly definition: Service;
  readonly implementation: ServiceImplementation<Service>;
  /** Method paths' last parts, for example `AcknowledgeJob`. */
  readonly callers: Readonly<Record<string, readonly CallerName[]>>;
}

export interface GrpcServerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly serviceSecret: string;
  readonly tls: GrpcTls | undefined;
  readonly services: readonly ServedService[];
  /** Refusals among errors that are no AppErrors, such as a database that can't be reached. */
  readonly classify?: ClassifyError;
  readonly scope: Scope;
  readonly log: Logger;
}

/** A message of more bytes than this is refused before it is read. */
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;
/** How long calls in flight may take to end once the server stops, in milliseconds. */
const DRAIN_MS = 10_000;

/** Serves gRPC to the daemons that know the service secret, and to nobody else. @returns the port. */
export async function serveGrpc(options: GrpcServerOptions): Promise<number> {
  const server = createServer({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
  })
    .use(mapErrors(options))
    .use(authorizeCaller(options.serviceSecret, options.services));
  for (const { definition, implementation } of options.services) server.add(definition, implementation);

  const port = await server
    .listen(`${options.host}:${options.port}`, credentials(options.tls))
    .catch((error) => {
      throw Object.assign(
        new Error(`gRPC can't listen on port ${options.port}: ${describeUnknownError(error)}`),
        {
          code: /EADDRINUSE/.test(String(error)) ? 'EADDRINUSE' : undefined,
          port: options.port,
        },
      );
    });
  options.scope.defer('grpc server', async () => {
    const cut = setTimeout(() => server.forceShutdown(), DRAIN_MS);
    await server.shutdown();
    clearTimeout(cut);
  });
  return port;
}

function credentials(tls: GrpcTls | undefined): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  const pair = { cert_chain: Buffer.from(tls.certificate), private_key: Buffer.from(tls.key) };
  return ServerCredentials.createSsl(Buffer.from(tls.ca), [pair], true);
}

function authorizeCaller(serviceSecret: string, services: readonly ServedService[]): ServerMiddleware {
  const isCredentialOf = createCredentialCheck(serviceSecret);
  const allowed = new Map<string, readonly CallerName[]>();
  for (const service of services) {
    for (const [method, callers] of Object.entries(service.callers)) allowed.set(method, callers);
  }
  return async function* authorize<Request, Response>(
    call: ServerMiddlewareCall<Request, Response>,
    context: CallContext,
  ) {
    const caller = context.metadata.get(CALLER_HEADER) ?? '';
    const credential = context.metadata.get(CREDENTIAL_HEADER) ?? '';
    if (!isCredentialOf(caller, credential)) {
      throw new ServerError(Status.UNAUTHENTICATED, 'A valid service credential is required');
    }
    const method = call.method.path.slice(call.method.path.lastIndexOf('/') + 1);
    if (!allowed.get(method)?.includes(caller as CallerName)) {
      throw new ServerError(Status.PERMISSION_DENIED, `${caller} may not call ${method}`);
    }
    const problem = protocolProblem(caller, context.metadata.get(PROTOCOL_HEADER));
    if (problem) throw new ServerError(Status.FAILED_PRECONDITION, problem);
    return yield* call.next(call.request, context);
  };
}

function mapErrors({ classify, log }: GrpcServerOptions): ServerMiddleware {
  return async function* mapped<Request, Response>(
    call: ServerMiddlewareCall<Request, Response>,
    context: CallContext,
  ) {
    try {
      return yield* call.next(call.request, context);
    } catch (error) {
      if (error instanceof Error && error.name === 'AbortError') throw error;
      const known = classify?.(error) ?? error;
      if (!isAppError(known) && !(known instanceof ServerError)) {
        log.error({ err: known, method: call.method.path }, 'gRPC method failed');
      }
      throw toServerError(known);
    }
  };
}
