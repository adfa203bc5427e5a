import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Bridge, makeBridge } from './make-bridge.ts';
import { runCommand } from './run-command.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const STARTS_WITHIN_MS = 60_000;
const STOPS_WITHIN_MS = 60_000;

export interface Engine {
  /** In which `docker` and `docker compose` speak to this engine and to no other. */
  readonly environment: NodeJS.ProcessEnv;
  readonly composeVersion: string;
  /** With every container of it. */
  stop(): Promise<void>;
}

/**
 * Starts a Docker engine of our own, which shares nothing with another one on the machine.
 * @param folder for everything of it; empty and absolute
 * @returns the engine, or in a sentence why there is none
 */
export async function startEngine(folder: string, inherited: NodeJS.ProcessEnv): Promise<Engine | string> {
  if (process.getuid?.() !== 0) return 'an engine needs root';
  for (const program of ['docker', 'dockerd', 'iptables']) {
    if ((await runCommand('which', [program])).code !== 0)
      return `there is no ${program} on this machine (apt-get install docker.io iptables)`;
  }
  const config = join(folder, 'config');
  mkdirSync(config, { recursive: true });
  const environment = {
    ...inherited,
    DOCKER_HOST: `unix://${folder}/docker.sock`,
    DOCKER_CONFIG: config,
    DOCKER_BUILDKIT: '0',
  };
  const composeVersion = await findCompose(config, environment, inherited);
  if (composeVersion === undefined)
    return 'Docker Compose 2 is not installed, and the package of Debian cannot be had';

  const log = join(folder, 'dockerd.log');
  const options = ['--data-root', 'data', '--exec-root', 'exec', '--pidfile', 'pid'];
  const args = options.map((value) => (value.startsWith('--') ? value : join(folder, value)));
  const bridge = await makeBridge();
  if (bridge !== undefined) args.push('--bridge', bridge.name);
  const out = openSync(log, 'a');
  const child = spawn('dockerd', [...args, '--host', environment.DOCKER_HOST], {
    cwd: folder,
    stdio: ['ignore', out, out],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  if (!(await answers(child, environment))) {
    await end(child, ended, bridge);
    return `dockerd does not start here: ${lastLine(log)}`;
  }
  return { environment, composeVersion, stop: () => end(child, ended, bridge) };
}

/** The one that is installed, or else Debian 13's, which runs on Debian 12 as well. */
async function findCompose(
  config: string,
  environment: NodeJS.ProcessEnv,
  inherited: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const plugin = join(inherited['DOCKER_CONFIG'] || '/nonexistent', 'cli-plugins/docker-compose');
  const version = async (env: NodeJS.ProcessEnv) => {
    const { code, stdout } = await runCommand('docker', ['compose', 'version', '--short'], { env });
    return code === 0 ? stdout.trim() : undefined;
  };
  if (existsSync(plugin)) {
    mkdirSync(join(config, 'cli-plugins'), { recursive: true });
    await runCommand('ln', ['-s', plugin, join(config, 'cli-plugins/')]);
  }
  const installed = await version(environment);
  if (installed !== undefined) return installed;
  await runCommand(join(here, 'fetch-compose.sh'), [config], { env: inherited });
  return await version(environment);
}

async function answers(child: ChildProcess, env: NodeJS.ProcessEnv): Promise<boolean> {
  const deadline = Date.now() + STARTS_WITHIN_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    if ((await runCommand('docker', ['info'], { env, limitMs: 10_000 })).code === 0) return true;
    await delay(200);
  }
  return false;
}

async function end(child: ChildProcess, ended: Promise<void>, bridge: Bridge | undefined): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOPS_WITHIN_MS);
  await ended;
  clearTimeout(timer);
  await bridge?.remove();
}

function lastLine(file: string): string {
  return readFileSync(file, 'utf8').trim().split('\n').at(-1)?.slice(0, 300) ?? 'it said nothing';
}
