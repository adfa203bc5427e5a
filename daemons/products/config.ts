import {
  type DaemonConfig,
  grpcAddress,
  integer,
  loadDaemonConfig,
  port,
  postgresUrl,
  setting,
  text,
} from '@jobber/shared/config';

const SETTINGS = {
  host: setting('PRODUCTS_HOST', text('127.0.0.1')),
  port: setting('PRODUCTS_PORT', port(3003)),
  grpcPort: setting('PRODUCTS_GRPC_PORT', port(5001)),
  /** For how long it serves on after the signal to stop. */
  drainSeconds: setting('PRODUCTS_DRAIN_SECONDS', integer(0, { min: 0, max: 600 })),
  databaseUrl: setting('PRODUCTS_DATABASE_URL', postgresUrl(), { secret: true }),
  authGrpcUrl: setting('AUTH_GRPC_URL', grpcAddress('localhost:5000')),
};

/** What Products needs to know; see `.env.example` for what each variable means. */
export type ProductsConfig = DaemonConfig<typeof SETTINGS>;

/** @throws ConfigError that names every problem at once */
export function loadProductsConfig(
  environment: Readonly<Record<string, string | undefined>>,
): ProductsConfig {
  return loadDaemonConfig(SETTINGS, environment);
}
