import {
  addressRanges,
  type DaemonConfig,
  flag,
  integer,
  loadDaemonConfig,
  port,
  postgresUrl,
  publishedSecret,
  secret,
  setting,
  text,
} from '@jobber/shared/config';

const SETTINGS = {
  host: setting('AUTH_HOST', text('127.0.0.1')),
  port: setting('AUTH_PORT', port(3000)),
  grpcPort: setting('AUTH_GRPC_PORT', port(5000)),
  /** For how long it serves on after the signal to stop. */
  drainSeconds: setting('AUTH_DRAIN_SECONDS', integer(0, { min: 0, max: 600 })),
  databaseUrl: setting('AUTH_DATABASE_URL', postgresUrl(), { secret: true }),
  issuer: setting('AUTH_ISSUER', text('jobber')),
  accessTokenTtlSeconds: setting('AUTH_ACCESS_TOKEN_TTL_SECONDS', integer(900, { min: 1, max: 86_400 })),
  refreshTokenTtlDays: setting('AUTH_REFRESH_TOKEN_TTL_DAYS', integer(30, { min: 1, max: 365 })),
  cookieSecure: setting('AUTH_COOKIE_SECURE', flag(false)),
  registrationsPerHour: setting('AUTH_REGISTRATIONS_PER_HOUR', integer(100, { min: 0, max: 1_000_000 })),
  /** Whose X-Forwarded-For is believed. */
  trustedProxies: setting('AUTH_TRUSTED_PROXIES', addressRanges()),
  setupToken: setting('AUTH_SETUP_TOKEN', secret().optional(), {
    secret: true,
    toleratedInDevelopment: publishedSecret().optional(),
  }),
};

/** What Auth needs to know; see `.env.example` for what each variable means. */
export type AuthConfig = DaemonConfig<typeof SETTINGS>;

/** @throws ConfigError that names every problem at once */
export function loadAuthConfig(environment: Readonly<Record<string, string | undefined>>): AuthConfig {
  return loadDaemonConfig(SETTINGS, environment);
}
