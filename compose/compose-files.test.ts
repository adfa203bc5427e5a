// What the compose files, the Dockerfile and what lies beside them promise, read without an engine; with one it is
// seen by `npm run test:compose`.
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

interface Service {
  image?: string;
  build?: object;
  ports?: string[];
  read_only?: boolean;
  cap_drop?: string[];
  cap_add?: string[];
  security_opt?: string[];
  mem_limit?: string;
  pids_limit?: number;
  healthcheck?: { test?: string[]; disable?: boolean };
  restart?: string;
  container_name?: string;
  user?: string;
  environment?: Record<string, string>;
  volumes?: string[];
  logging?: { options: Record<string, string> };
}
interface ComposeFile {
  services: Record<string, Service>;
}

const repository = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(repository, path), 'utf8');
const load = (path: string) => parse(read(path), { merge: true }) as ComposeFile;

const platform = load('docker-compose.yaml');
const local = load('docker-compose.local.yaml');
const services = Object.entries({ ...platform.services });
const everyService = [...services, ...Object.entries(local.services)];
const DAEMONS = ['auth', 'products', 'jobs', 'executor'];
const ONE_SHOTS = ['secrets', 'migrate'];
const dockerfile = read('compose/Dockerfile');

test('the files say what is run: PostgreSQL, Pulsar, the secrets, the migrations and four daemons', () => {
  expect(Object.keys(platform.services).sort()).toEqual(
    [...DAEMONS, ...ONE_SHOTS, 'postgres', 'pulsar'].sort(),
  );
  expect(Object.keys(local.services)).toEqual(['postgres', 'pulsar']);
});

test.each(everyService)(
  '%s has an image of a version, limits, and logs that do not grow for ever',
  (_, service) => {
    expect(service.image).toMatch(/:/);
    expect(service.image).not.toContain('latest');
    expect(service.mem_limit).toBeDefined();
    expect(service.pids_limit).toBeGreaterThan(0);
    expect(service.logging?.options).toHaveProperty('max-size');
  },
);

test.each(everyService)(
  '%s gains no privileges, and keeps no capability that it does not need',
  (name, service) => {
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toContain('no-new-privileges:true');
    expect(service.cap_add ?? []).toEqual(
      name === 'postgres' ? ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETGID', 'SETUID'] : [],
    );
  },
);

test.each(services)(
  '%s has a read-only root file system (Pulsar apart), and ours are not root',
  (name, service) => {
    expect(service.read_only ?? false).toBe(name !== 'pulsar');
    if (service.image?.includes('JOBBER_IMAGE')) expect(service.user).toBe('10001:10001');
  },
);

test.each(everyService)(
  '%s is open to this machine only, and may run more than once when it has no port',
  (_, service) => {
    for (const port of service.ports ?? [])
      expect(port).toMatch(/^(127\.0\.0\.1|\$\{JOBBER_BIND:-127\.0\.0\.1\}):/);
    expect(service.container_name).toBeUndefined();
  },
);

test('only the three daemons that people talk to have a port', () => {
  const open = services.filter(([, { ports }]) => ports !== undefined).map(([name]) => name);
  expect(open).toEqual(['auth', 'products', 'jobs']);
});

test.each(everyService)('%s is asked for its health, or ends by itself', (name, { healthcheck }) => {
  if (ONE_SHOTS.includes(name)) expect(healthcheck?.disable).toBe(true);
  else expect(healthcheck?.test?.[0]).toBe('CMD');
});

test.each(services)('%s comes back after a failure, unless it has to run only once', (name, { restart }) => {
  expect(restart).toBe(name === 'secrets' ? 'no' : name === 'migrate' ? 'on-failure:3' : 'unless-stopped');
});

test('no secret stands in docker-compose.yaml, and only PostgreSQL sees the passwords of all databases', () => {
  for (const [name, { environment = {}, volumes = [] }] of services) {
    for (const [variable, value] of Object.entries(environment)) {
      if (/SECRET|PASSWORD|TOKEN$|DATABASE_URL/.test(variable))
        expect([variable, value]).toEqual([
          variable,
          expect.stringMatching(/^\/run\/jobber\/|^\$\{\w+:-\}$/),
        ]);
    }
    const secrets = volumes
      .filter((volume) => volume.includes('-secrets:'))
      .map((volume) => volume.split(':')[0]);
    if (!ONE_SHOTS.includes(name)) expect(secrets).toEqual(name === 'pulsar' ? [] : [`${name}-secrets`]);
  }
});

test('what may be set for a daemon is looked through before anything is started', () => {
  const seen = platform.services['secrets']?.environment ?? {};
  for (const name of DAEMONS) {
    const settable = Object.entries(platform.services[name]?.environment ?? {}).filter(([, value]) =>
      String(value).includes('${'),
    );
    expect(seen).toMatchObject(Object.fromEntries(settable));
  }
});

test('every variable that the files take is in compose/.env.example with its default, and no other', () => {
  const used = new Map<string, string>();
  for (const [, variable = '', fallback = ''] of read('docker-compose.yaml').matchAll(
    /\$\{([A-Z_]+):-((?:[^{}])*)\}/g,
  )) {
    expect([variable, used.get(variable) ?? fallback]).toEqual([variable, fallback]);
    used.set(variable, fallback);
  }
  const documented = [...read('compose/.env.example').matchAll(/^#([A-Z_]+)=(.*)$/gm)].map(
    ([, variable = '', value = '']) => [variable, value] as const,
  );
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(used));
});

test('each way to reach the executors says what the daemons are told, whether Pulsar runs, and what the image has', () => {
  const brokers = globSync('*.yaml', { cwd: join(repository, 'compose/broker') }).sort();
  expect(brokers).toEqual(['direct.yaml', 'pulsar.yaml', 'ws.yaml']);
  const urls = brokers.map((file) => {
    const broker = load(`compose/broker/${file}`);
    expect(Object.keys(broker.services)).toEqual(['image', 'pulsar', 'client']);
    return broker.services['client']?.environment?.['PULSAR_SERVICE_URL'];
  });
  expect(urls).toEqual(['', 'pulsar://pulsar:6650', 'ws://pulsar:8080']);
});

test('what is mounted from here exists, and others may read it', () => {
  for (const [name, { volumes = [] }] of everyService) {
    for (const source of volumes
      .map((volume) => volume.split(':')[0] ?? '')
      .filter((it) => it.startsWith('./'))) {
      expect([name, source, existsSync(join(repository, source))]).toEqual([name, source, true]);
    }
  }
  expect(statSync(join(repository, 'compose/postgres/create-databases.sh')).mode & 0o111).not.toBe(0);
});

test('the Dockerfile needs nothing that the older builder lacks, and starts without a shell', () => {
  expect(dockerfile).not.toMatch(/^# ?syntax=|--mount|--chmod|--parents|<<[A-Z]/m);
  expect(dockerfile).toMatch(/^ENTRYPOINT \["node", /m);
  expect(dockerfile).toMatch(/^ {2}CMD \["node", "compose\/container\/check-health\.js"\]$/m);
  expect(dockerfile).toMatch(/^USER 10001:10001$/m);
  expect(dockerfile).not.toMatch(/:latest/);
  expect(dockerfile).not.toMatch(/npm install\b/);
});

test('it copies the manifest of every workspace, so that the lock file holds', () => {
  const { workspaces } = JSON.parse(read('package.json')) as { workspaces: string[] };
  const copied = [...dockerfile.matchAll(/^COPY (\S+)\/package\.json \S+\/$/gm)].map(([, folder]) => folder);
  expect(copied.sort()).toEqual([...workspaces].sort());
});

test('the client of Pulsar in the image is the one that users are told to install', () => {
  const { dependencies } = JSON.parse(read('compose/pulsar-client/package.json')) as {
    dependencies: Record<string, string>;
  };
  const told = read('daemons/shared/broker/load-pulsar-client.ts').match(/\$\{PACKAGE\}@([\d.]+)/)?.[1];
  expect(dependencies).toEqual({ 'pulsar-client': told });
});

test('the version of the image is that of the package', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  expect(dockerfile).toContain(`ARG JOBBER_VERSION=${version}`);
  expect(read('docker-compose.yaml').match(/\$\{JOBBER_VERSION:-([^}]+)\}/)?.[1]).toBe(version);
});

test('nothing private gets into a build: all is left out that is not named, and settings and logs always', () => {
  const lines = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(lines[0]).toBe('*');
  expect(lines).toEqual(expect.arrayContaining(['**/.env', '**/*.log', '**/node_modules', '**/dist']));
});
