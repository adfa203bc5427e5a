export { COMMON_SETTINGS, readGrpcTls } from './common-settings.ts';
export {
  ConfigError,
  type ConfigOf,
  developmentWarnings,
  loadConfig,
  type Settings,
  setting,
} from './load-config.ts';
export {
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
