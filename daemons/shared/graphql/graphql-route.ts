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
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLScalarType,
  type GraphQLSchema,
  isIntrospectionType,
  isObjectType,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { type Context, Hono } from 'hono';
import { LRUCache } from 'lru-cache';
import { findVariablesProblem } from './find-variables-problem.ts';
import { limitComplexity } from './limit-complexity.ts';

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

/** Tokens of one document; data belongs in variables. */
const MAX_TOKENS = 20_000;
/** Documents of at most this many characters are kept parsed. */
const MAX_CACHED_LENGTH = 10_000;
const BODY_ARRIVES_WITHIN_MS = 30_000;

interface Params {
  readonly query: string;
  readonly variables: Record<string, unknown> | null;
  readonly operationName: string | null;
}

/** The GraphQL endpoint of a daemon: POST with JSON, HTTP 200 for every answer, refusals with numeric codes. */
export function graphqlRoute(options: GraphqlOptions): Hono {
  const schema = buildExecutableSchema(options);
  const checkDocument = createDocumentCheck(schema, options.production);
  const serve = graphqlServer({ schema, rootResolver: () => options.resolvers });

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
    try {
      const params = await readParams(c);
      const problem = findVariablesProblem(schema, checkDocument(params.query), params, options.production);
      if (problem !== undefined) throw new AppError('INVALID_INPUT', problem);
      presentParams(c, params);
    } catch (error) {
      return answer(c, [refusalOf(error, options, { requestId: requestIdOf(c) })]);
    }
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
    const fail = (error: unknown) => {
      throw refusalOf(error, options, { field: info.fieldName, requestId: requestIdOf(c) });
    };
    try {
      const value = defaultFieldResolver(source, args, c, info);
      return value instanceof Promise ? value.catch(fail) : value;
    } catch (error) {
      return fail(error);
    }
  };
}

function createDocumentCheck(schema: GraphQLSchema, production: boolean): (query: string) => DocumentNode {
  // First of all its size: GraphQL's own rules compare each field with all others of its name.
  const passes = [
    [limitComplexity()],
    [...specifiedRules, ...(production ? [NoSchemaIntrospectionCustomRule] : [])],
  ];
  const sound = new LRUCache<string, DocumentNode>({ max: 500 });

  function check(document: DocumentNode): void {
    for (const rules of passes) {
      const [first] = validate(schema, document, rules, { maxErrors: 1, hideSuggestions: production });
      if (first) refuseDocument(first.message);
    }
  }

  return function checkDocument(query) {
    const known = sound.get(query);
    if (known) return known;
    const document = parseDocument(query);
    check(document);
    if (query.length <= MAX_CACHED_LENGTH) sound.set(query, document);
    return document;
  };
}

function parseDocument(query: string): DocumentNode {
  try {
    return parse(query, { maxTokens: MAX_TOKENS });
  } catch (error) {
    if (!(error instanceof GraphQLError)) return refuseDocument('The query is nested too deeply');
    const tooLong = /more tha[nt] \d+ tokens/.test(error.message);
    return refuseDocument(
      tooLong ? `The query has too many tokens; the limit is ${MAX_TOKENS}` : error.message,
    );
  }
}

function refuseDocument(message: string): never {
  const reason: Reason = /limit|nested too/.test(message) ? 'QUERY_TOO_COMPLEX' : 'MALFORMED_REQUEST';
  throw new AppError(reason, message);
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
    throw new AppError('MALFORMED_REQUEST', `The request is not valid JSON: ${parsed.problem.message}`);
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

interface FormattedError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: object;
}

/**
 * graphql-server answers 500 when nothing could be resolved. Errors without a code are those of GraphQL itself: of the
 * arguments' values, or, where they have a path, of what a resolver returned, which is a fault of ours.
 */
async function restoreStatus(c: Context, response: Response, log: Logger): Promise<Response> {
  const { errors } = (await response.json()) as { errors: FormattedError[] };
  const coded = errors.map((error) => {
    if (error.extensions) return error;
    if (!error.path) return { ...error, extensions: extensionsOf('INVALID_INPUT') };
    log.error(
      { path: error.path, error: error.message },
      'a resolver returned what the schema does not allow',
    );
    return { message: 'Internal error', path: error.path, extensions: extensionsOf('INTERNAL') };
  });
  return answer(c, coded, response.headers);
}

function extensionsOf(reason: Reason): { code: number; reason: Reason } {
  return { code: REASONS[reason], reason };
}

function answer(c: Context, errors: readonly object[], headers?: Headers): Response {
  for (const cookie of headers?.getSetCookie() ?? []) c.header('set-cookie', cookie, { append: true });
  return c.json({ data: null, errors });
}
