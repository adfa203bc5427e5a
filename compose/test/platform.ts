import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Ended, mustRun, runCommand } from './run-command.ts';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** What `docker inspect` says of a container, as far as it matters here. */
export interface Container {
  Name: string;
  RestartCount: number;
  State: { Status: string; Pid: number; ExitCode: number; OOMKilled: boolean; Health?: { Status: string } };
  NetworkSettings: { Networks: Record<string, { IPAddress: string }> };
  Config: { User: string; Env: string[]; Labels: Record<string, string> };
  HostConfig: {
    ReadonlyRootfs: boolean;
    CapDrop: string[] | null;
    SecurityOpt: string[] | null;
    Memory: number;
    PidsLimit: number | null;
    PortBindings: Record<string, { HostIp: string; HostPort: string }[]> | null;
  };
}

/** One project of Compose on one engine. */
export interface Platform {
  readonly addresses: { readonly auth: string; readonly jobs: string; readonly products: string };
  /** @throws with what it said when it does not end with 0 */
  compose(...args: string[]): Promise<string>;
  tryCompose(args: string[], environment?: NodeJS.ProcessEnv): Promise<Ended>;
  docker(...args: string[]): Promise<string>;
  /** All of a service, stopped ones too; of every service when none is named. */
  containers(service?: string): Promise<Container[]>;
}

export function openPlatform(options: {
  project: string;
  environment: NodeJS.ProcessEnv;
  ports: { auth: number; jobs: number; products: number };
  /** Relative to the repository, as `docker compose -f` takes them. */
  files?: readonly string[];
}): Platform {
  const { project, ports, files = ['docker-compose.yaml'] } = options;
  const env = {
    ...options.environment,
    AUTH_PORT: String(ports.auth),
    JOBS_PORT: String(ports.jobs),
    PRODUCTS_PORT: String(ports.products),
  };
  const named = files.flatMap((file) => ['-f', join(REPOSITORY, file)]);
  const start = ['compose', '--ansi', 'never', '--progress', 'plain', ...named, '-p', project];
  const docker = (...args: string[]) => mustRun('docker', args, { env });
  return {
    addresses: {
      auth: `http://127.0.0.1:${ports.auth}`,
      jobs: `http://127.0.0.1:${ports.jobs}`,
      products: `http://127.0.0.1:${ports.products}`,
    },
    compose: (...args) => mustRun('docker', [...start, ...args], { env, cwd: REPOSITORY, limitMs: 600_000 }),
    tryCompose: (args, own = {}) =>
      runCommand('docker', [...start, ...args], {
        env: { ...env, ...own },
        cwd: REPOSITORY,
        limitMs: 600_000,
      }),
    docker,
    async containers(service) {
      const list = await mustRun('docker', [...start, 'ps', '-aq', ...(service ? [service] : [])], { env });
      const ids = list.split('\n').filter((line) => line !== '');
      return ids.length === 0 ? [] : (JSON.parse(await docker('inspect', ...ids)) as Container[]);
    },
  };
}
