import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { authDatabase } from '@jobber/db/auth';
import { type Database, isDatabaseUnavailable, openDatabase } from '@jobber/db/connection';
import { prepareDatabase } from '@jobber/db/prepare';
import { guardCallers } from '@jobber/shared/auth-guard';
import { ConfigError } from '@jobber/shared/config';
import { describeUnknownError, unavailableWhen } from '@jobber/shared/errors';
import { dateTimeScalar, graphqlRoute } from '@jobber/shared/graphql';
import { createGroupCommit } from '@jobber/shared/group-commit';
import { serveGrpc } from '@jobber/shared/grpc';
import { createHealth, type Health, healthRoutes } from '@jobber/shared/health';
import { errorResponse, serveHttp, trustProxies } from '@jobber/shared/http';
import type { Scope } from '@jobber/shared/lifecycle';
import type { Logger } from '@jobber/shared/log';
import { createMetrics, metricsRoute } from '@jobber/shared/telemetry';
import { Hono } from 'hono';
import type { AccessTokenRules } from './access-tokens/access-token-rules.ts';
import { createAccessTokenSigner } from './access-tokens/sign-access-token.ts';
import { createAccessTokenVerifier } from './access-tokens/verify-access-token.ts';
import { type AuthMetrics, createAuthMetrics, measureWatchers } from './auth-metrics.ts';
import type { AuthConfig } from './config.ts';
import { graphqlResolvers } from './edges/graphql-resolvers.ts';
import { authGrpcService, type GrpcParts } from './edges/grpc-service.ts';
import { jwksRoute } from './edges/jwks-route.ts';
import { createPasswordHasher } from './passwords/password-hasher.ts';
import { createRevocations, type Revocations } from './revocations/revocations.ts';
import { createKeyRing, type KeyRing } from './signing-keys/key-ring.ts';
import {
  type AuthenticatedIdentity,
  type AuthenticateTokens,
  buildAuthenticateTokens,
} from './use-cases/authenticate-tokens.ts';
import { buildCreateUser } from './use-cases/create-user.ts';
import { buildFindMe } from './use-cases/find-me.ts';
import { buildListUsers } from './use-cases/list-users.ts';
import { buildLogIn } from './use-cases/log-in.ts';
import { buildLogOut } from './use-cases/log-out.ts';
import { buildPruneExpired } from './use-cases/prune-expired.ts';
import { buildRefreshSession } from './use-cases/refresh-session.ts';

/** Requests are answered within 5 s, also while the database is silent. */
const STATEMENT_TIMEOUT_MS = 3_500;
const MAX_BODY_BYTES = 256 * 1_024;
const MAX_TOKENS_PER_QUERY = 1_000;
const PRUNE_INTERVAL_MS = 10 * 60_000;

const classify = unavailableWhen(isDatabaseUnavailable);

interface Parts {
  readonly config: AuthConfig;
  readonly scope: Scope;
  readonly log: Logger;
}

/**
 * Starts Auth: HTTP first, so that it can be seen to live, then the database, its keys, gRPC. Until then requests are
 * refused as retryable.
 * @returns the ports, once it is ready; `undefined` when it was stopped before
 * @throws ConfigError when the database lacks migrations
 */
export async function startAuth(parts: Parts): Promise<{ port: number; grpcPort: number } | undefined> {
  const { config, scope, log } = parts;
  for (const warning of config.warnings) log.warn(warning);
  const database = await openDatabase(authDatabase, {
    url: config.databaseUrl,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  scope.defer('database', () => database.close());
  const health = createHealth();
  const registry = createMetrics('auth');
  const metrics = createAuthMetrics(registry);
  const keys = createKeyRing({ database, log, ...config });
  const tokenRules = { issuer: config.issuer, ttlSeconds: config.accessTokenTtlSeconds };
  const authentication = createAuthentication({ database, keys, metrics, tokenRules });
  const revocations = createRevocations({ databaseUrl: config.databaseUrl, scope, log });
  measureWatchers(registry, revocations);

  const app = new Hono();
  app.route('/', healthRoutes('auth', health));
  app.route('/', metricsRoute(registry));
  app.route('/', jwksRoute(keys));
  app.use('/auth/graphql', guardCallers(authentication.authenticate));
  app.route('/', await graphqlApp(parts, { database, keys, metrics, tokenRules, revocations }));
  app.onError((error, c) => {
    log.error({ err: error }, 'request failed');
    return errorResponse(c, error, classify);
  });
  addReadinessChecks(health, database, keys);
  const port = await serveHttp({ app, config, health, scope });

  if (!(await prepare(database, keys, parts))) return undefined;
  const grpcPort = await serveGrpc({
    host: config.host,
    port: config.grpcPort,
    serviceSecret: config.serviceSecret,
    tls: config.tls,
    services: [authGrpcService({ ...authentication, watchRevocations: revocations.watch })],
    classify,
    scope,
    log,
  });
  // The server drains before anything else is released; its streams have to end for that.
  scope.defer('streams of revocations', () => revocations.endStreams());
  pruneRegularly(database, parts);
  scope.defer('readiness', () => health.startDraining(config.drainSeconds));
  log.info({ port, grpcPort }, 'Auth is ready');
  return { port, grpcPort };
}

interface Authentication extends Omit<GrpcParts, 'watchRevocations'> {
  readonly authenticateMany: AuthenticateTokens;
}

/** Single tokens that arrive together are checked together; batches come as batches. */
function createAuthentication(parts: {
  database: Database;
  keys: KeyRing;
  metrics: AuthMetrics;
  tokenRules: AccessTokenRules;
}): Authentication {
  const { database, keys, metrics, tokenRules } = parts;
  const verifyAccessToken = createAccessTokenVerifier(keys, tokenRules);
  const authenticateTokens = buildAuthenticateTokens({ database, verifyAccessToken });

  const authenticateMany: AuthenticateTokens = async (tokens) => {
    metrics.authenticateBatchSize.observe(tokens.length);
    const stop = metrics.authenticateSeconds.startTimer();
    try {
      return await authenticateTokens(tokens);
    } finally {
      stop();
    }
  };
  const together = createGroupCommit<string, AuthenticatedIdentity | undefined>({
    maxBatch: MAX_TOKENS_PER_QUERY,
    concurrency: 4,
    run: authenticateMany,
  });
  return { authenticate: (token) => together.submit(token), authenticateMany };
}

async function graphqlApp(
  { config, log }: Parts,
  parts: {
    database: Database;
    keys: KeyRing;
    metrics: AuthMetrics;
    tokenRules: AccessTokenRules;
    revocations: Revocations;
  },
): Promise<Hono> {
  const { database, keys, metrics, tokenRules } = parts;
  const hasher = await createPasswordHasher({
    concurrency: Math.min(4, Math.max(1, availableParallelism() - 1)),
    maxWaiting: 64,
  });
  const signAccessToken = createAccessTokenSigner(keys, tokenRules);
  const { untilForgotten } = parts.revocations;
  const shared = { database, hasher, signAccessToken, untilForgotten, log };
  const { setupToken, registrationsPerHour, refreshTokenTtlDays } = config;
  return graphqlRoute({
    path: '/auth/graphql',
    typeDefs: readFileSync(new URL(import.meta.resolve('@jobber/auth/schema.graphql')), 'utf8'),
    resolvers: graphqlResolvers({
      createUser: buildCreateUser({ ...shared, setupToken, registrationsPerHour }),
      logIn: buildLogIn({ ...shared, refreshTokenTtlDays }),
      refreshSession: buildRefreshSession({ ...shared, refreshTokenTtlDays }),
      logOut: buildLogOut(shared),
      findMe: buildFindMe(shared),
      listUsers: buildListUsers(shared),
      isTrustedProxy: trustProxies(config.trustedProxies),
      cookie: { secure: config.cookieSecure, maxAgeSeconds: config.accessTokenTtlSeconds },
      metrics,
      classify,
    }),
    scalars: [dateTimeScalar],
    maxBodyBytes: MAX_BODY_BYTES,
    production: config.environment === 'production',
    classify,
    log,
  });
}

function addReadinessChecks(health: Health, { pool }: Database, keys: KeyRing): void {
  health.addCheck({ name: 'database', check: async () => void (await pool.query('select 1')) });
  health.addCheck({
    name: 'signing keys',
    async check() {
      if (!keys.isLoaded()) throw Object.assign(new Error('not loaded yet'), { code: 'STARTING' });
    },
  });
}

/** @returns whether the database and its keys are ready; not when the daemon is stopped while it waits. @throws ConfigError */
async function prepare(database: Database, keys: KeyRing, { scope, log }: Parts): Promise<boolean> {
  const stopping = new AbortController();
  scope.defer('wait for the database', () => stopping.abort());
  const { signal } = stopping;
  const onFailure = (error: unknown) =>
    log.warn({ error: describeUnknownError(error) }, 'the database does not answer; trying again');
  const problems = await prepareDatabase(authDatabase, database, { signal, onFailure });
  if (problems === undefined) return false;
  if (problems.length > 0) throw new ConfigError(problems);
  await keys.load().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return !signal.aborted;
}

function pruneRegularly(database: Database, { scope, log }: Parts): void {
  const pruneExpired = buildPruneExpired({ database, log });
  const timer = setInterval(() => {
    pruneExpired().catch((error: unknown) => {
      log.warn(
        { error: describeUnknownError(error) },
        'could not remove what has expired; trying again later',
      );
    });
  }, PRUNE_INTERVAL_MS);
  timer.unref();
  scope.defer('pruning', () => clearInterval(timer));
}
