import { readFileSync } from 'node:fs';
import { isDatabaseUnavailable, openDatabase } from '@jobber/db/connection';
import { prepareDatabase } from '@jobber/db/prepare';
import { productsDatabase } from '@jobber/db/products';
import { AuthServiceDefinition } from '@jobber/proto/auth/v1/auth';
import { createRemoteAuthentication, guardCallers } from '@jobber/shared/auth-guard';
import { ConfigError } from '@jobber/shared/config';
import { describeUnknownError, unavailableWhen } from '@jobber/shared/errors';
import { graphqlRoute } from '@jobber/shared/graphql';
import { createGrpcClient, serveGrpc } from '@jobber/shared/grpc';
import { createHealth, healthRoutes } from '@jobber/shared/health';
import { errorResponse, serveHttp } from '@jobber/shared/http';
import type { Scope } from '@jobber/shared/lifecycle';
import type { Logger } from '@jobber/shared/log';
import { createMetrics, metricsRoute } from '@jobber/shared/telemetry';
import { Hono } from 'hono';
import type { ProductsConfig } from './config.ts';
import { productsResolvers } from './edges/graphql-resolvers.ts';
import { productsGrpcService } from './edges/grpc-service.ts';
import { countWrites, createProductsMetrics } from './products-metrics.ts';
import { createWriteProducts } from './use-cases/write-products.ts';

/** Requests are answered within 5 s, also while the database is silent. */
const STATEMENT_TIMEOUT_MS = 3_500;
const MAX_BODY_BYTES = 256 * 1_024;
const SCHEMA = readFileSync(new URL(import.meta.resolve('@jobber/products/schema.graphql')), 'utf8');

interface Parts {
  readonly config: ProductsConfig;
  readonly scope: Scope;
  readonly log: Logger;
}

/**
 * Starts Products: HTTP first, so that it can be seen to live, then the database, then gRPC.
 * @returns the ports, once it is ready; `undefined` when it was stopped before
 * @throws ConfigError when the database lacks migrations
 */
export async function startProducts({ config, scope, log }: Parts) {
  for (const warning of config.warnings) log.warn(warning);
  const database = await openDatabase(productsDatabase, {
    url: config.databaseUrl,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  scope.defer('database', database.close);
  const classify = unavailableWhen(isDatabaseUnavailable);
  const health = createHealth();
  const registry = createMetrics('products');
  let prepared = false;
  health.addCheck({
    name: 'database',
    async check() {
      await database.pool.query('select 1');
      if (!prepared) throw Object.assign(new Error('not prepared yet'), { code: 'STARTING' });
    },
  });

  const { serviceSecret, tls } = config;
  const address = config.authGrpcUrl;
  const auth = createGrpcClient(AuthServiceDefinition, {
    address,
    caller: 'products',
    serviceSecret,
    tls,
    scope,
  });
  const app = new Hono();
  app.route('/', healthRoutes('products', health));
  app.route('/', metricsRoute(registry));
  const authenticate = createRemoteAuthentication({ client: auth, registry, scope, log });
  app.use('/products/graphql', guardCallers(authenticate));
  app.route(
    '/',
    graphqlRoute({
      path: '/products/graphql',
      typeDefs: SCHEMA,
      resolvers: productsResolvers(database.orm),
      scalars: [],
      maxBodyBytes: MAX_BODY_BYTES,
      production: config.environment === 'production',
      classify,
      log,
    }),
  );
  app.onError((error, c) => {
    log.error({ err: error }, 'request failed');
    return errorResponse(c, error);
  });
  const port = await serveHttp({ app, config, health, scope });

  const stopping = new AbortController();
  scope.defer('wait for the database', () => stopping.abort());
  const problems = await prepareDatabase(productsDatabase, database, {
    signal: stopping.signal,
    onFailure: (error) =>
      log.warn({ error: describeUnknownError(error) }, 'the database does not answer; trying again'),
  });
  if (problems === undefined) return undefined;
  if (problems.length > 0) throw new ConfigError(problems);
  prepared = true;
  const writeProducts = countWrites(createWriteProducts(database.pool), createProductsMetrics(registry));
  const grpcPort = await serveGrpc({
    host: config.host,
    port: config.grpcPort,
    serviceSecret,
    tls,
    services: [productsGrpcService(writeProducts)],
    classify,
    scope,
    log,
  });
  scope.defer('readiness', () => health.startDraining(config.drainSeconds));
  log.info({ port, grpcPort }, 'Products is ready');
  return { port, grpcPort };
}
