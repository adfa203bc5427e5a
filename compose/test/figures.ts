// `npm run bench:compose`: measures the platform in containers, on an engine of its own as in `npm run test:compose`, and
// prints what docs/docker.md shows: sizes, times until everything is healthy, memory by container, and what more
// executors give when each has a fixed share of a core.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findFreePort } from '../embedded/free-port.ts';
import { startEngine } from './engine.ts';
import { measureScale } from './measure-scale.ts';
import { openPlatform, type Platform } from './platform.ts';
import { makePulsarStandIn, makeStandIns } from './stand-ins/make-stand-ins.ts';

const UP = ['up', '-d', '--wait', '--wait-timeout', '300'];
const IDLE_MS = 30_000;

async function main(environment: NodeJS.ProcessEnv): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'jobber-compose-'));
  mkdirSync(join(folder, 'engine'));
  try {
    const engine = await startEngine(join(folder, 'engine'), environment);
    if (typeof engine === 'string') throw new Error(engine);
    try {
      await measureAll(engine.environment, folder);
    } finally {
      await engine.stop();
    }
    return 0;
  } catch (error) {
    process.stderr.write(`Error: ${(error as Error).message}\n`);
    return 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureAll(environment: NodeJS.ProcessEnv, folder: string): Promise<void> {
  const making = { ...environment, TMPDIR: folder };
  const missing = (await makeStandIns(making)) ?? (await makePulsarStandIn(making));
  if (missing !== undefined) throw new Error(missing);
  const ports = { auth: await findFreePort(), jobs: await findFreePort(), products: await findFreePort() };
  const open = (broker: string, files = ['docker-compose.yaml']) =>
    openPlatform({
      project: 'jobberfigures',
      files,
      ports,
      environment: { ...environment, JOBBER_BROKER: broker },
    });
  const direct = open('direct');
  const overPulsar = open('ws');
  say(`machine: ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)} before`);
  await timed('docker compose build, nothing cached', () => direct.compose('build'));
  await sayImageSize(direct);
  for (const [name, platform] of [
    ['without Pulsar', direct],
    ['with Pulsar', overPulsar],
  ] as const) {
    await timed(`up --wait ${name}, new volumes`, () => platform.compose(...UP));
    await platform.compose('stop');
    await timed(`up --wait ${name}, stopped before`, () => platform.compose(...UP));
    await platform.compose('down');
    await timed(`up --wait ${name}, volumes kept`, () => platform.compose(...UP));
    await sayMemory(platform);
    await overPulsar.compose('down', '-v');
  }
  const spinning = open('direct', ['docker-compose.yaml', 'compose/test/spin.yaml']);
  await spinning.compose(...UP);
  await measureScale(spinning, say);
  await spinning.compose('down', '-v');
}

async function sayImageSize({ docker }: Platform): Promise<void> {
  const size = async (image: string) =>
    Number(await docker('image', 'inspect', image, '--format', '{{.Size}}')) / 1e6;
  const base = await size('debian:bookworm-slim');
  say(`image beyond its base: ${((await size('jobber:0.1.0')) - base).toFixed(0)} MB`);
}

async function sayMemory({ docker }: Platform): Promise<void> {
  await delay(IDLE_MS);
  const lines = (await docker('stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}}'))
    .trim()
    .split('\n');
  for (const line of lines.sort()) say(`idle memory: ${line.replace(/^jobberfigures-/, '')}`);
}

async function timed(what: string, run: () => Promise<unknown>): Promise<void> {
  const startedAt = performance.now();
  await run();
  say(`${what}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s (load ${loadavg()[0]?.toFixed(1)})`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.exitCode = await main(process.env);
