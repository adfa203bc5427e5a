import { createTestDatabase, ensureTemplate } from '@jobber/compose/test-database';
import { type Database, openDatabase } from '@jobber/db/connection';
import { migrate } from '@jobber/db/migrate';
import { productsDatabase } from '@jobber/db/products';
import {
  type AuthenticateManyRequest,
  AuthServiceDefinition,
  type WatchRevocationsRequest,
} from '@jobber/proto/auth/v1/auth';
import {
  type CreateProductsRequest,
  type ProductOutcome,
  type ProductRecord,
  type ProductsServiceClient,
  ProductsServiceDefinition,
} from '@jobber/proto/products/v1/products';
import { permissionsOf } from '@jobber/shared/auth-guard';
import { createFakeRevocations } from '@jobber/shared/auth-guard/testing';
import { type CallerName, createGrpcClient, deadline, serveGrpc } from '@jobber/shared/grpc';
import { createScope, type Scope } from '@jobber/shared/lifecycle';
import { createLogger } from '@jobber/shared/log';
import { afterAll } from 'vitest';
import { loadProductsConfig, type ProductsConfig } from './config.ts';
import { startProducts } from './start-products.ts';

export const TEST_SERVICE_SECRET = '5c1f0b7e9a4d4c2e8f3a6b1d7e9c0a42';
/** Tokens that the fake Auth knows: the names of roles. `nobody` has a token and may do nothing. */
export const TOKENS = ['viewer', 'member', 'operator', 'admin', 'nobody'];

const TOKEN_LIFE_MS = 900_000;

export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what they asked for
  readonly data: any;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions: { readonly code: number; readonly reason: string; readonly details?: object };
  }[];
}

/** A Products daemon in this process, with a database of its own and a fake Auth. */
export interface TestProducts {
  readonly origin: string;
  readonly grpcAddress: string;
  readonly database: Database;
  readonly scope: Scope;
  /** What the daemon has logged, one JSON object a line. */
  readonly logLines: string[];
  post(
    body: { query: string; variables?: object },
    headers?: Record<string, string>,
  ): Promise<{ answer: Answer; status: number }>;
  ask(query: string, variables?: object, token?: string): Promise<Answer>;
  grpcClient(caller?: CallerName, serviceSecret?: string): ProductsServiceClient;
  /** Writes records over gRPC as the executor does; their indexes begin at `from`. */
  write(
    jobId: number,
    records: readonly Partial<ProductRecord>[],
    from?: number,
  ): Promise<readonly ProductOutcome['outcome'][]>;
}

/** A database of its own with Products' tables, for one test file. */
export async function createProductsDatabase(): Promise<{ url: string }> {
  const template = await ensureTemplate(
    'products',
    async (url) => void (await migrate(productsDatabase, url)),
  );
  return await createTestDatabase({ template });
}

/** A sound record, with some fields of one's own. */
export function product(fields: Partial<ProductRecord> = {}): ProductRecord {
  return {
    name: 'Lamp',
    category: 'Home & Kitchen',
    price: '110.53',
    stock: 7,
    rating: '4.5',
    description: 'Gives light.',
    sku: undefined,
    ...fields,
  };
}

/** The fields of outcomes: what was written, or which field was refused. */
export function refusedField(outcome: ProductOutcome['outcome']): string | undefined {
  return outcome?.$case === 'refused' ? outcome.value.field : undefined;
}

export function written(outcome: ProductOutcome['outcome']): { productId: number; created: boolean } {
  if (outcome?.$case !== 'written') throw new Error(`not written: ${JSON.stringify(outcome)}`);
  return outcome.value;
}

/** `reason` of the first error, or what was answered instead. */
export function reasonOf(answer: Answer): string {
  return answer.errors?.[0]?.extensions.reason ?? JSON.stringify(answer.data);
}

/** Auth as Products sees it: a token is the name of the role that it gives. @returns its address */
export async function startFakeAuth(scope: Scope): Promise<string> {
  const log = createLogger({ daemon: 'fake auth', level: 'silent' });
  const revocations = createFakeRevocations();
  const identify = (token: string) => {
    if (!TOKENS.includes(token)) return {};
    const roles = [token];
    const identity = { userId: `user-${token}`, email: `${token}@example.com`, roles, sessionId: 's' };
    return {
      identity: { ...identity, permissions: permissionsOf(roles), expiresAtMs: Date.now() + TOKEN_LIFE_MS },
    };
  };
  const port = await serveGrpc({
    host: '127.0.0.1',
    port: 0,
    serviceSecret: TEST_SERVICE_SECRET,
    tls: undefined,
    services: [
      {
        definition: AuthServiceDefinition,
        implementation: {
          authenticate: () => Promise.reject(new Error('not used')),
          authenticateMany: async ({ tokens }: AuthenticateManyRequest) => ({
            results: tokens.map(identify),
          }),
          watchRevocations: (requests: AsyncIterable<WatchRevocationsRequest>) =>
            revocations.watchRevocations(requests),
        },
        callers: { AuthenticateMany: ['products'], WatchRevocations: ['products'] },
      },
    ],
    scope,
    log,
  });
  scope.defer('streams of revocations', () => revocations.endStreams());
  return `127.0.0.1:${port}`;
}

/**
 * Call it at the top level of a test file; it is stopped after the file's tests.
 * @param reroute gives the daemon another way to its database
 */
export async function startTestProducts(
  overrides: Partial<ProductsConfig> = {},
  reroute: (databaseUrl: string) => Promise<string> = async (url) => url,
): Promise<TestProducts> {
  const { url: databaseUrl } = await createProductsDatabase();
  const logLines: string[] = [];
  const log = createLogger(
    { daemon: 'products', level: 'debug' },
    { write: (line) => void logLines.push(line) },
  );
  const scope = createScope(log);
  afterAll(() => scope.release());
  const config = loadProductsConfig({
    PRODUCTS_PORT: '0',
    PRODUCTS_GRPC_PORT: '0',
    PRODUCTS_DATABASE_URL: await reroute(databaseUrl),
    AUTH_GRPC_URL: await startFakeAuth(scope),
    SERVICE_SECRET: TEST_SERVICE_SECRET,
    NODE_ENV: 'test',
  });
  const ports = await startProducts({ config: { ...config, ...overrides }, scope, log });
  if (!ports) throw new Error('Products was stopped while it started');
  const database = await openDatabase(productsDatabase, { url: databaseUrl });
  scope.defer('database of the test', () => database.close());
  const origin = `http://127.0.0.1:${ports.port}`;
  const grpcAddress = `127.0.0.1:${ports.grpcPort}`;

  function grpcClient(caller: CallerName = 'executor', serviceSecret = TEST_SERVICE_SECRET) {
    const options = { address: grpcAddress, caller, serviceSecret, tls: undefined, scope };
    return createGrpcClient(ProductsServiceDefinition, options);
  }
  const executor = grpcClient();

  async function post(body: { query: string; variables?: object }, headers: Record<string, string> = {}) {
    const response = await fetch(`${origin}/products/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return { answer: (await response.json()) as Answer, status: response.status };
  }

  return {
    origin,
    grpcAddress,
    database,
    scope,
    logLines,
    post,
    grpcClient,
    async ask(query, variables = {}, token = 'viewer') {
      return (await post({ query, variables }, { authorization: `Bearer ${token}` })).answer;
    },
    async write(jobId, records, from = 0) {
      const items = records.map((fields, i) => ({ itemIndex: from + i, record: product(fields) }));
      const { outcomes } = await executor.createProducts(inOneMessage({ jobId, items }), deadline(30_000));
      return outcomes.map(({ outcome }) => outcome);
    },
  };
}

export async function* inOneMessage(request: CreateProductsRequest): AsyncGenerator<CreateProductsRequest> {
  yield request;
}
