// docker-compose.local.yaml, and the daemons from their sources beside it, with the commands of docs/docker.md.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findFreePort, findFreePorts } from '../embedded/free-port.ts';
import { expectEqual } from './check-build.ts';
import { openPlatform, type Platform, REPOSITORY } from './platform.ts';
import type { Report } from './report.ts';
import { runCli } from './run-cli.ts';

const STARTS_WITHIN_MS = 180_000;

export async function checkDevelopment(
  report: Report,
  environment: NodeJS.ProcessEnv,
  folder: string,
): Promise<void> {
  const ports = { postgres: await findFreePort(), binary: await findFreePort(), web: await findFreePort() };
  const services = openPlatform({
    project: 'jobbertest-local',
    files: ['docker-compose.local.yaml'],
    ports: { auth: 0, jobs: 0, products: 0 },
    environment: {
      ...environment,
      POSTGRES_PORT: String(ports.postgres),
      PULSAR_PORT: String(ports.binary),
      PULSAR_HTTP_PORT: String(ports.web),
    },
  });
  try {
    const started = await report.check(
      'docker-compose.local.yaml starts PostgreSQL and Pulsar, and nothing else, for this machine only',
      async () => {
        await services.compose('up', '-d', '--wait', '--wait-timeout', '300');
        await expectOpenPorts(services, Object.values(ports));
      },
    );
    if (!started) {
      console.log(await services.compose('logs', '--tail', '30'));
      return;
    }
    await report.check('npm run start:dev over them: a login and a job, by Pulsar', async () => {
      const home = join(folder, 'development');
      mkdirSync(home, { mode: 0o700 });
      const stop = await startDaemons(home, { PATH: environment['PATH'], ...documentedVariables(ports) });
      try {
        await useIt(home);
      } finally {
        await stop();
      }
      const topics = await fetch(`http://127.0.0.1:${ports.web}/admin/v2/persistent/public/default`);
      const names = (await topics.json()) as string[];
      if (!names.some((name) => name.includes('fibonacci-jobs'))) throw new Error(`topics are ${names}`);
    });
  } finally {
    await services.compose('down', '-v');
  }
}

async function expectOpenPorts(services: Platform, ports: number[]): Promise<void> {
  const all = await services.containers();
  const open = all.flatMap(({ HostConfig }) =>
    Object.values(HostConfig.PortBindings ?? {}).flatMap((bindings) =>
      bindings.map(({ HostIp, HostPort }) => `${HostIp}:${HostPort}`),
    ),
  );
  expectEqual([all.length, open.sort()], [2, ports.map((port) => `127.0.0.1:${port}`).sort()]);
}

/** As the page gives them, with the ports of this run in the place of the usual ones. */
function documentedVariables(ports: { postgres: number; web: number }): NodeJS.ProcessEnv {
  const page = readFileSync(join(REPOSITORY, 'docs/docker.md'), 'utf8');
  const variables = [...page.matchAll(/^export ([A-Z_]+)=(\S+)$/gm)].map(([, name = '', value = '']) => [
    name,
    value.replace(':5432/', `:${ports.postgres}/`).replace(/:8080$/, `:${ports.web}`),
  ]);
  expectEqual(
    variables.map(([name]) => name),
    ['AUTH_DATABASE_URL', 'JOBS_DATABASE_URL', 'PRODUCTS_DATABASE_URL', 'PULSAR_SERVICE_URL'],
  );
  return Object.fromEntries(variables);
}

/** @returns what ends them; it throws when they do not end with 0 */
async function startDaemons(home: string, variables: NodeJS.ProcessEnv): Promise<() => Promise<void>> {
  const options = ['--data-dir', join(home, 'data'), '--port-base', String(await findFreePorts(10))];
  const child = spawn('npm', ['run', 'start:dev', '--', ...options], {
    cwd: REPOSITORY,
    env: { HOME: home, JOBBER_HOME: home, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
    // As in a terminal, where Ctrl-C goes to npm and to what it started.
    detached: true,
  });
  let output = '';
  const ended = once(child, 'close');
  const ready = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (output.includes('jobber is ready')) resolve();
      });
  });
  const timer = setTimeout(() => process.kill(-(child.pid as number), 'SIGKILL'), STARTS_WITHIN_MS);
  await Promise.race([ready, ended]);
  clearTimeout(timer);
  if (child.exitCode !== null || child.signalCode !== null)
    throw new Error(`start:dev is not ready:\n${output.slice(-3_000)}`);
  return async () => {
    process.kill(-(child.pid as number), 'SIGINT');
    const [code] = await ended;
    if (code !== 0) throw new Error(`start:dev ended with ${code}:\n${output.slice(-3_000)}`);
  };
}

async function useIt(home: string): Promise<void> {
  const account = ['--email', 'ada@example.com', '--password-stdin'];
  await runCli(home, ['register', ...account], 'correct horse battery\n');
  await runCli(home, ['login', ...account], 'correct horse battery\n');
  const job = JSON.parse(await runCli(home, ['job', 'run', 'fibonacci', '--iterations', '90', '--wait']));
  expectEqual(job.status, 'COMPLETED');
}
