export type { GrpcTls } from './grpc-tls.ts';
export { ConfigError, type ConfigOf, loadConfig, type Settings, setting } from './load-config.ts';
export { type ConfigSection, type DaemonConfig, loadDaemonConfig } from './load-daemon-config.ts';
export { withSecretFiles } from './secret-files.ts';
export {
  addressRanges,
  flag,
  grpcAddress,
  integer,
  oneOf,
  port,
  postgresUrl,
  publishedSecret,
  secret,
  text,
} from './setting-kinds.ts';
