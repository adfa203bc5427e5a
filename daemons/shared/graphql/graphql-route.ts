import { graphqlServer } from '@hono/graphql-server';
import {
  AppError,
  type ClassifyError,
  isAppError,
  REASONS,
  type Reason,
  refuse,
} from '@jobber/shared/errors';
import { limitArrival, limitBody } from '@jobber/shared/http';
import { parseJsonExact } from '@jobber/shared/json';
import type { Logger } from '@jobber/shared/log';
import {
  buildSchema,
  type DocumentNode,
  defaultFieldResolver,
  execute,
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLFormattedError,
  type GraphQLScalarType,
  type GraphQLSchema,
  isIntrospectionType,
  isObjectType,
} from 'graphql';
import { type Context, Hono } from 'hono';
import { createDocumentCheck } from './check-document.ts';
import { findVariablesProblem } from './find-variables-problem.ts';

/** A field of Query or Mutation: its arguments and the request in, plain values out. Refusals are thrown AppErrors. */
// biome-ignore lint/suspicious/noExplicitAny: GraphQL has checked the arguments against the schema
export type Resolver = (args: any, c: Context) => unknown;
export type Resolvers = Readonly<Record<string, Resolver>>;

export interface GraphqlOptions {
  /** For example /auth/graphql */
  readonly path: string;
  /** The schema in SDL. */
  readonly typeDefs: string;
  readonly resolvers: Resolvers;
  readonly scalars: readonly GraphQLScalarType[];
  readonly maxBodyBytes: number;
  /** How long a body may take to arrive, in milliseconds; by default 30 s. */
  readonly bodyArrivesWithinMs?: number;
  /** In production the schema is not told: no introspection, no suggestions. */
  readonly production: boolean;
  /** Refusals among errors that are no AppErrors, such as a database that can't be reached. */
  readonly classify?: ClassifyError;
  readonly log: Logger;
}

const BODY_ARRIVES_WITHIN_MS = 30_000;

interface Params {
  readonly query: string;
  readonly variables: Record<string, unknown> | null;
  readonly operationName: string | null;
}

/** The GraphQL endpoint of a daemon: POST with JSON, HTTP 200 for every answer, refusals with numeric codes. */
export function graphqlRoute(options: GraphqlOptions): Hono {
  const schema = buildExecutableSchema(options);
  const documents = createDocumentCheck(schema, options.production);
  const serve = graphqlServer({ schema, rootResolver: () => options.resolvers });

  /** As graphql-server does, but for what it does with each request anew: parse, and validate the schema and the document. */
  async function serveKnown(c: Context, document: DocumentNode, params: Params): Promise<Response> {
    const { variables: variableValues, operationName } = params;
    const request = {
      schema,
      document,
      rootValue: options.resolvers,
      contextValue: c,
      variableValues,
      operationName,
    };
    const result = await execute(request);
    if (result.data) return c.json(result);
    // Nothing was run if the variables are wrong; they are read twice only then.
    refuseVariables(document, params);
    const errors = result.errors?.map((error) => error.toJSON()) ?? [];
    return answer(c, codeErrors(errors, options.log));
  }

  /** @throws AppError 400 INVALID_INPUT */
  function refuseVariables(document: DocumentNode, params: Params): void {
    const problem = findVariablesProblem(schema, document, params, options.production);
    if (problem !== undefined) refuse('INVALID_INPUT', problem);
  }

  function refused(c: Context, error: unknown): Response {
    return answer(c, [refusalOf(error, options, { requestId: requestIdOf(c) })]);
  }

  const app = new Hono();
  const arrivalMs = options.bodyArrivesWithinMs ?? BODY_ARRIVES_WITHIN_MS;
  app.use(
    options.path,
    limitArrival(arrivalMs, (c) => tooSlow(c, arrivalMs)),
  );
  app.use(
    options.path,
    limitBody(options.maxBodyBytes, (c) => tooLarge(c, options.maxBodyBytes)),
  );
  app.post(options.path, async (c) => {
    let params: Params;
    let known: DocumentNode | undefined;
    try {
      params = await readParams(c);
      known = documents.known(params.query);
      if (!known) refuseVariables(documents.check(params.query), params);
    } catch (error) {
      return refused(c, error);
    }
    if (known) return serveKnown(c, known, params).catch((error: unknown) => refused(c, error));
    presentParams(c, params);
    const response = (await serve(c, async () => {})) as Response;
    return response.status === 200 ? response : restoreStatus(c, response, options.log);
  });
  app.all(options.path, (c) =>
    answer(c, [
      toGraphqlError(new AppError('MALFORMED_REQUEST', `GraphQL is served by POST ${options.path}`)),
    ]),
  );
  return app;
}

function buildExecutableSchema(options: GraphqlOptions): GraphQLSchema {
  const schema = buildSchema(options.typeDefs);
  for (const scalar of options.scalars) {
    const declared = schema.getType(scalar.name) as GraphQLScalarType | undefined;
    if (!declared) continue;
    declared.serialize = scalar.serialize;
    declared.parseValue = scalar.parseValue;
    declared.parseLiteral = scalar.parseLiteral;
  }
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || isIntrospectionType(type)) continue;
    for (const field of Object.values(type.getFields())) field.resolve = guardedResolver(options);
  }
  return schema;
}

/** What a field's function throws, at whatever depth, leaves as a refusal or as a bare internal error. */
function guardedResolver(options: GraphqlOptions): GraphQLFieldResolver<unknown, Context> {
  return function resolve(source, args, c, info) {
    try {
      const value = defaultFieldResolver(source, args, c, info);
      return value instanceof Promise ? refusing(value, info.fieldName, c) : value;
    } catch (error) {
      return refuseField(error, info.fieldName, c);
    }
  };

  function refusing(value: Promise<unknown>, field: string, c: Context): Promise<unknown> {
    return value.catch((error: unknown) => refuseField(error, field, c));
  }

  function refuseField(error: unknown, field: string, c: Context): never {
    throw refusalOf(error, options, { field, requestId: requestIdOf(c) });
  }
}

async function readParams(c: Context): Promise<Params> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new AppError(
      'MALFORMED_REQUEST',
      `The content type must be application/json, got ${type ?? 'none'}`,
    );
  }
  const text = await c.req.text().catch(() => refuse('MALFORMED_REQUEST', 'The request broke off'));
  const parsed = parseJsonExact(text);
  if (!parsed.ok)
    throw new AppError('MALFORMED_REQUEST', `The request's JSON is refused: ${parsed.problem.message}`);
  const body = parsed.value;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new AppError(
      'MALFORMED_REQUEST',
      'The request must be one JSON object with "query" and "variables"',
    );
  }
  const { query, variables = null, operationName = null } = body as Record<string, unknown>;
  if (typeof query !== 'string')
    throw new AppError('MALFORMED_REQUEST', '"query" must be a GraphQL document');
  if (typeof variables !== 'object' || Array.isArray(variables)) {
    throw new AppError('MALFORMED_REQUEST', '"variables" must be an object');
  }
  if (operationName !== null && typeof operationName !== 'string') {
    throw new AppError('MALFORMED_REQUEST', '"operationName" must be a name');
  }
  return { query, variables: variables as Params['variables'], operationName };
}

/**
 * Hands the parameters to @hono/graphql-server, which would read the body itself and only knows the content type
 * `application/json` without parameters; the URL's query is not a second way in.
 */
function presentParams(c: Context, params: Params): void {
  const headers = new Headers(c.req.raw.headers);
  headers.set('content-type', 'application/json');
  c.req.raw = new Proxy(c.req.raw, {
    get(request, property) {
      if (property === 'json') return async () => params;
      if (property === 'headers') return headers;
      if (property === 'url') return '/';
      const value = Reflect.get(request, property, request);
      return typeof value === 'function' ? value.bind(request) : value;
    },
  });
}

/** As hono's requestId has set it, where a daemon uses it. */
function requestIdOf(c: Context): string | undefined {
  return (c.get('requestId' as never) as string | undefined) ?? undefined;
}

function refusalOf(
  error: unknown,
  { classify, log }: GraphqlOptions,
  where: { field?: string; requestId: string | undefined },
): GraphQLError {
  if (error instanceof GraphQLError) return error;
  const refusal = isAppError(error) ? error : classify?.(error);
  if (refusal) return toGraphqlError(refusal);
  log.error({ err: error, ...where }, 'request failed');
  return toGraphqlError(new AppError('INTERNAL', 'Internal error'));
}

function toGraphqlError({ message, code, reason, details }: AppError): GraphQLError {
  return new GraphQLError(message, { extensions: { code, reason, ...(details && { details }) } });
}

function tooLarge(c: Context, maxBytes: number): Response {
  const refusal = new AppError('TOO_LARGE', `The request is larger than ${maxBytes} bytes`, { maxBytes });
  return answer(c, [toGraphqlError(refusal)]);
}

function tooSlow(c: Context, limitMs: number): Response {
  const message = `The request took longer than ${limitMs / 1_000} s to arrive`;
  return answer(c, [toGraphqlError(new AppError('MALFORMED_REQUEST', message, { limitMs }))]);
}

/** graphql-server answers 500 when nothing could be resolved. */
async function restoreStatus(c: Context, response: Response, log: Logger): Promise<Response> {
  const { errors } = (await response.json()) as { errors: GraphQLFormattedError[] };
  return answer(c, codeErrors(errors, log), response.headers);
}

/**
 * Errors without a code are those of GraphQL itself: of the arguments' values, or, where they have a path, of what a
 * resolver returned, which is a fault of ours.
 */
function codeErrors(errors: readonly GraphQLFormattedError[], log: Logger): GraphQLFormattedError[] {
  return errors.map((error) => {
    if (error.extensions) return error;
    if (!error.path) return { ...error, extensions: extensionsOf('INVALID_INPUT') };
    log.error(
      { path: error.path, error: error.message },
      'a resolver returned what the schema does not allow',
    );
    return { message: 'Internal error', path: error.path, extensions: extensionsOf('INTERNAL') };
  });
}

function extensionsOf(reason: Reason): { code: number; reason: Reason } {
  return { code: REASONS[reason], reason };
}

function answer(c: Context, errors: readonly object[], headers?: Headers): Response {
  for (const cookie of headers?.getSetCookie() ?? []) c.header('set-cookie', cookie, { append: true });
  return c.json({ data: null, errors });
}
