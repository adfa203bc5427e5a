import {
  COMMON_SETTINGS,
  developmentWarnings,
  flag,
  integer,
  loadConfig,
  port,
  postgresUrl,
  publishedSecret,
  readGrpcTls,
  secret,
  setting,
  text,
} from '@jobber/shared/config';
import type { GrpcTls } from '@jobber/shared/grpc';

const SETTINGS = {
  ...COMMON_SETTINGS,
  host: setting('AUTH_HOST', text('127.0.0.1')),
  port: setting('AUTH_PORT', port(3000)),
  grpcPort: setting('AUTH_GRPC_PORT', port(5000)),
  databaseUrl: setting('AUTH_DATABASE_URL', postgresUrl(), { secret: true }),
  issuer: setting('AUTH_ISSUER', text('jobber')),
  accessTokenTtlSeconds: setting('AUTH_ACCESS_TOKEN_TTL_SECONDS', integer(900, { min: 1, max: 86_400 })),
  refreshTokenTtlDays: setting('AUTH_REFRESH_TOKEN_TTL_DAYS', integer(30, { min: 1, max: 365 })),
  cookieSecure: setting('AUTH_COOKIE_SECURE', flag(false)),
  setupToken: setting('AUTH_SETUP_TOKEN', secret().optional(), {
    secret: true,
    toleratedInDevelopment: publishedSecret().optional(),
  }),
};

/** What Auth needs to know; see `.env.example` for what each variable means. */
export interface AuthConfig extends Omit<ReturnType<typeof readSettings>, 'grpcTlsCa'> {
  readonly tls: GrpcTls | undefined;
  /** What is accepted only because this is development; for the log. */
  readonly warnings: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws ConfigError that names every problem at once */
export function loadAuthConfig(environment: Environment): AuthConfig {
  const settings = readSettings(environment);
  return {
    ...settings,
    tls: readGrpcTls(settings),
    warnings: developmentWarnings(SETTINGS, environment),
  };
}

function readSettings(environment: Environment) {
  return loadConfig(SETTINGS, environment);
}
