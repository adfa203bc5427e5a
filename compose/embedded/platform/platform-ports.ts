import { findFreePort, isPortFree } from '../free-port.ts';
import { PlatformError } from './platform-error.ts';

/** In the order in which `--port-base` counts them. */
const PORT_USES = {
  auth: "Auth's HTTP",
  jobs: "Jobs' HTTP",
  executor: "the Executor's HTTP",
  products: "Products' HTTP",
  authGrpc: "Auth's gRPC",
  productsGrpc: "Products' gRPC",
  jobsGrpc: "Jobs' gRPC",
  postgres: 'PostgreSQL',
} as const;

type PortUse = keyof typeof PORT_USES;
const USES = Object.keys(PORT_USES) as PortUse[];

/** All on 127.0.0.1. */
export type PlatformPorts = Readonly<Record<PortUse, number>>;

const DEFAULT_PORTS: PlatformPorts = {
  auth: 3000,
  jobs: 3001,
  executor: 3002,
  products: 3003,
  authGrpc: 5000,
  productsGrpc: 5001,
  jobsGrpc: 5002,
  // 5432 belongs to the machine's own PostgreSQL.
  postgres: 5433,
};

/** Ports of one `--port-base`, counted from it; ten are spoken for, so that more can be used later. */
const PORTS_OF_A_BASE = 10;
const HIGHEST_BASE = 65_535 - (PORTS_OF_A_BASE - 1);

/**
 * The usual ports, or those from `base` on: base Auth, +1 Jobs, +2 Executor, +3 Products, +4 to +6 gRPC of Auth,
 * Products and Jobs, +7 PostgreSQL.
 * @throws PlatformError `port-invalid`
 */
export function platformPorts(base?: number): PlatformPorts {
  if (base === undefined) return DEFAULT_PORTS;
  if (!Number.isInteger(base) || base < 1 || base > HIGHEST_BASE) {
    throw new PlatformError(
      'port-invalid',
      `--port-base must be a whole number from 1 to ${HIGHEST_BASE}; got ${base}.`,
    );
  }
  return assignPorts((_, index) => base + index);
}

/** Eight ports that nobody uses at the moment. */
export async function freePlatformPorts(): Promise<PlatformPorts> {
  const ports = await Promise.all(USES.map(() => findFreePort()));
  return assignPorts((_, index) => ports[index] as number);
}

function assignPorts(choose: (use: PortUse, index: number) => number): PlatformPorts {
  return Object.fromEntries(USES.map((use, index) => [use, choose(use, index)])) as PlatformPorts;
}

/**
 * Makes sure that nobody listens at the ports. PostgreSQL's usual one is only a preference: nobody has to type it, so
 * another one is taken when it is not free.
 * @param ownPostgres whether an earlier server of ours still runs, perhaps at that very port: it is stopped later
 * @throws PlatformError `port-taken`, naming every taken port, what for, and what to do
 */
export async function requireFreePorts(ports: PlatformPorts, ownPostgres: boolean): Promise<PlatformPorts> {
  const free = await Promise.all(
    USES.map((use) => (use === 'postgres' && ownPostgres) || mayListen(ports[use])),
  );
  const taken = USES.filter((_, index) => !free[index]);
  if (taken.length === 0) return ports;
  if (taken.every((use) => use === 'postgres') && ports.postgres === DEFAULT_PORTS.postgres) {
    return { ...ports, postgres: await findFreePort() };
  }
  const named = taken.map((use) => `${ports[use]} (${PORT_USES[use]})`).join(', ');
  const [subject, them] = taken.length === 1 ? ['Port', 'it'] : ['Ports', 'them'];
  const verb = taken.length === 1 ? 'is' : 'are';
  throw new PlatformError(
    'port-taken',
    `${subject} ${named} ${verb} taken by another program: stop it or leave ${them} alone and ` +
      `start with others, for example --port-base ${await findFreeBase()}.`,
  );
}

/** A port that this process may not open (below 1024) is no better than a taken one. */
async function mayListen(port: number): Promise<boolean> {
  try {
    return await isPortFree(port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    throw new PlatformError(
      'port-invalid',
      `Port ${port} may be opened by root only: choose a --port-base above 1023.`,
    );
  }
}

async function findFreeBase(): Promise<number> {
  for (let base = 13_000; base < 20_000; base += 100) {
    const ports = Object.values(platformPorts(base));
    if ((await Promise.all(ports.map((port) => isPortFree(port)))).every(Boolean)) return base;
  }
  return 20_000;
}
