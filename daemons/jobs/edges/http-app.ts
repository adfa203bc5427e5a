import { readFileSync } from 'node:fs';
import { type Authenticate, guardCallers } from '@jobber/shared/auth-guard';
import type { ClassifyError } from '@jobber/shared/errors';
import { dateTimeScalar, exactJsonScalar, graphqlRoute } from '@jobber/shared/graphql';
import { type Health, healthRoutes } from '@jobber/shared/health';
import { errorResponse } from '@jobber/shared/http';
import type { Logger } from '@jobber/shared/log';
import { metricsRoute, type Registry } from '@jobber/shared/telemetry';
import { Hono } from 'hono';
import { requestId } from 'hono/request-id';
import type { JobsMetrics } from '../jobs-metrics.ts';
import { admitLargeBodies } from './admit-large-bodies.ts';
import { eventsRoute } from './events-route.ts';
import { type JobsResolverParts, jobsResolvers } from './graphql-resolvers.ts';
import { createHttpEdge, type HttpEdge } from './http-edge.ts';
import { uploadRoute } from './upload-route.ts';

export interface HttpAppParts {
  readonly registry: Registry;
  readonly metrics: JobsMetrics;
  readonly health: Health;
  readonly authenticate: Authenticate;
  readonly resolvers: JobsResolverParts;
  readonly uploads: Omit<Parameters<typeof uploadRoute>[0], 'edge'>;
  readonly events: Omit<Parameters<typeof eventsRoute>[0], 'edge'>;
  readonly production: boolean;
  readonly classify: ClassifyError;
  readonly log: Logger;
}

const GRAPHQL_PATH = '/jobs/graphql';
/** GraphQL requests carry items inline, up to 16 MiB of them; larger input belongs in an upload. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024 + 64 * 1024;
const SCHEMA = readFileSync(new URL(import.meta.resolve('@jobber/jobs/schema.graphql')), 'utf8');

/** Everything that Jobs serves over HTTP. */
export function createHttpApp(parts: HttpAppParts): Hono {
  const { registry, health, production, classify, log } = parts;
  const edge: HttpEdge = createHttpEdge(parts);
  const app = new Hono();
  app.use(requestId());
  app.route('/', healthRoutes('jobs', health));
  app.route('/', metricsRoute(registry));
  app.use('/jobs/*', guardCallers(parts.authenticate));
  app.route('/', eventsRoute({ ...parts.events, edge }));
  app.route('/', uploadRoute({ ...parts.uploads, edge }));
  app.use(GRAPHQL_PATH, admitLargeBodies());
  app.route(
    '/',
    graphqlRoute({
      path: GRAPHQL_PATH,
      typeDefs: SCHEMA,
      resolvers: jobsResolvers(parts.resolvers),
      scalars: [exactJsonScalar, dateTimeScalar],
      maxBodyBytes: MAX_BODY_BYTES,
      production,
      classify,
      log,
    }),
  );
  app.notFound((c) =>
    c.json(
      { message: `There is nothing at ${c.req.path.slice(0, 200)}`, code: 404, reason: 'NOT_FOUND' },
      404,
    ),
  );
  app.onError((error, c) => {
    log.error({ err: error, requestId: c.get('requestId') }, 'request failed');
    return errorResponse(c, error, classify);
  });
  return app;
}
