export { createGrpcClient, deadline, type GrpcClientOptions } from './grpc-client.ts';
export { AppErrorFromGrpc, toServerError } from './grpc-errors.ts';
export { type GrpcServerOptions, type ServedService, serveGrpc } from './grpc-server.ts';
export { createOutbox, type Outbox } from './outbox.ts';
export { type CallerName, credentialOf } from './service-credential.ts';
