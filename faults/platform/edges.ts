import { startTcpProxy, type TcpProxy } from '../proxy/tcp-proxy.ts';
import { DATABASES, type DatabaseName } from './databases.ts';

/** Who calls whom: each of these connections leads through a proxy of its own. */
export const EDGES = [
  'client-jobs',
  'jobs-auth',
  'products-auth',
  'executor-jobs',
  'executor-products',
  'auth-postgres',
  'jobs-postgres',
  'products-postgres',
] as const;
export type Edge = (typeof EDGES)[number];

/** Only where there is a broker. */
export const BROKER_EDGES = ['jobs-pulsar', 'executor-pulsar'] as const;
export type BrokerEdge = (typeof BROKER_EDGES)[number];

export type Edges = Readonly<Record<Edge, TcpProxy>> & Readonly<Partial<Record<BrokerEdge, TcpProxy>>>;

export interface Targets {
  readonly jobs: number;
  readonly authGrpc: number;
  readonly jobsGrpc: number;
  readonly productsGrpc: number;
  readonly postgres: number;
  /** The broker's WebSocket port. */
  readonly pulsar?: number | undefined;
}

export async function openEdges(targets: Targets): Promise<Edges> {
  const ports: Record<Edge, number> = {
    'client-jobs': targets.jobs,
    'jobs-auth': targets.authGrpc,
    'products-auth': targets.authGrpc,
    'executor-jobs': targets.jobsGrpc,
    'executor-products': targets.productsGrpc,
    'auth-postgres': targets.postgres,
    'jobs-postgres': targets.postgres,
    'products-postgres': targets.postgres,
  };
  const { pulsar } = targets;
  const opened = await Promise.all([
    ...EDGES.map(async (edge) => [edge, await startTcpProxy(ports[edge])] as const),
    ...(pulsar === undefined
      ? []
      : BROKER_EDGES.map(async (edge) => [edge, await startTcpProxy(pulsar)] as const)),
  ]);
  return Object.fromEntries(opened) as unknown as Edges;
}

/** The databases' addresses as their daemons see them: through the edge. */
export function throughEdges(
  urls: Readonly<Record<DatabaseName, string>>,
  edges: Edges,
): Record<DatabaseName, string> {
  return Object.fromEntries(
    DATABASES.map((name) => {
      const url = new URL(urls[name]);
      url.port = String(edges[`${name}-postgres`].port);
      return [name, url.href];
    }),
  ) as Record<DatabaseName, string>;
}
