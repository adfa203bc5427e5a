import {
  COMMON_SETTINGS,
  developmentWarnings,
  grpcAddress,
  loadConfig,
  port,
  postgresUrl,
  readGrpcTls,
  setting,
  text,
} from '@jobber/shared/config';
import type { GrpcTls } from '@jobber/shared/grpc';

const SETTINGS = {
  ...COMMON_SETTINGS,
  host: setting('PRODUCTS_HOST', text('127.0.0.1')),
  port: setting('PRODUCTS_PORT', port(3003)),
  grpcPort: setting('PRODUCTS_GRPC_PORT', port(5001)),
  databaseUrl: setting('PRODUCTS_DATABASE_URL', postgresUrl(), { secret: true }),
  authGrpcUrl: setting('AUTH_GRPC_URL', grpcAddress('localhost:5000')),
};

/** What Products needs to know; see `.env.example` for what each variable means. */
export interface ProductsConfig extends Omit<ReturnType<typeof readSettings>, 'grpcTlsCa'> {
  readonly tls: GrpcTls | undefined;
  /** What is accepted only because this is development; for the log. */
  readonly warnings: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws ConfigError that names every problem at once */
export function loadProductsConfig(environment: Environment): ProductsConfig {
  const settings = readSettings(environment);
  return { ...settings, tls: readGrpcTls(settings), warnings: developmentWarnings(SETTINGS, environment) };
}

function readSettings(environment: Environment) {
  return loadConfig(SETTINGS, environment);
}
