import type { DaemonName } from './daemon-programs.ts';
import type { PlatformPorts } from './platform-ports.ts';

const HOST = '127.0.0.1';

export interface DaemonSettings {
  readonly ports: PlatformPorts;
  readonly serviceSecret: string;
  /** Given to Auth while the platform has no administrator. */
  readonly setupToken: string | undefined;
  readonly databaseUrls: Readonly<Record<'auth' | 'jobs' | 'products', string>>;
  readonly uploadsDir: string;
  /** Of the broker over which tasks reach executors; without one the daemons have what the user has set, or none. */
  readonly brokerUrl?: string | undefined;
  readonly nodeEnv: 'production' | 'development';
}

/**
 * The environment of one daemon: its own settings over what the user has set, such as LOG_LEVEL or JOBBER_JOB_TYPES,
 * without what npm adds. Each daemon gets no other daemon's secrets.
 */
export function daemonEnvironment(
  name: DaemonName,
  settings: DaemonSettings,
  inherited: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  const { ports } = settings;
  return {
    ...withoutPlatform(inherited),
    NODE_ENV: settings.nodeEnv,
    JOBBER_SUPERVISED: 'true',
    SERVICE_SECRET: settings.serviceSecret,
    AUTH_GRPC_URL: `${HOST}:${ports.authGrpc}`,
    JOBS_GRPC_URL: `${HOST}:${ports.jobsGrpc}`,
    PRODUCTS_GRPC_URL: `${HOST}:${ports.productsGrpc}`,
    ...ownSettings(name, settings),
  };
}

function ownSettings(name: DaemonName, settings: DaemonSettings): NodeJS.ProcessEnv {
  const { ports, databaseUrls, setupToken, uploadsDir, brokerUrl } = settings;
  const broker = brokerUrl === undefined ? {} : { PULSAR_SERVICE_URL: brokerUrl };
  switch (name) {
    case 'auth':
      return {
        AUTH_HOST: HOST,
        AUTH_PORT: String(ports.auth),
        AUTH_GRPC_PORT: String(ports.authGrpc),
        AUTH_DATABASE_URL: databaseUrls.auth,
        ...(setupToken === undefined ? {} : { AUTH_SETUP_TOKEN: setupToken }),
      };
    case 'jobs':
      return {
        JOBS_HOST: HOST,
        JOBS_PORT: String(ports.jobs),
        JOBS_GRPC_PORT: String(ports.jobsGrpc),
        JOBS_DATABASE_URL: databaseUrls.jobs,
        JOBS_UPLOADS_DIR: uploadsDir,
        ...broker,
      };
    case 'products':
      return {
        PRODUCTS_HOST: HOST,
        PRODUCTS_PORT: String(ports.products),
        PRODUCTS_GRPC_PORT: String(ports.productsGrpc),
        PRODUCTS_DATABASE_URL: databaseUrls.products,
      };
    case 'executor':
      return { EXECUTOR_HOST: HOST, EXECUTOR_PORT: String(ports.executor), ...broker };
  }
}

// GRPC_TLS_…: between processes of one machine that share a secret there is none; half-set variables would be refused.
const OURS = /^npm_|^(SERVICE_SECRET|AUTH_SETUP_TOKEN|NODE_CHANNEL_FD|INIT_CWD)$|_DATABASE_URL$|^GRPC_TLS_/;

function withoutPlatform(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !OURS.test(name)));
}
