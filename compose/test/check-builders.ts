// The image by the other builder, and with the official client of Pulsar.
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { expectEqual } from './check-build.ts';
import { type Platform, REPOSITORY } from './platform.ts';
import type { Report } from './report.ts';
import { mustRun } from './run-command.ts';

/** What is in an image: names, modes, owners and sizes. */
const LIST = `const fs = require('fs'), found = [];
  for (const top of ['/jobber', '/secrets', '/var/lib/jobber/uploads'])
    for (const name of ['', ...fs.readdirSync(top, { recursive: true }).sort()]) {
      const { mode, uid, gid, size } = fs.lstatSync(top + '/' + name);
      found.push([top, name, mode, uid, gid, mode & 0o40000 ? 0 : size].join(' '));
    }
  console.log(found.length, require('crypto').createHash('sha256').update(found.join()).digest('hex'));`;

/** @param platform whose image was built without it */
export async function checkBuildKit(report: Report, { docker, tryCompose }: Platform): Promise<void> {
  const environment = { DOCKER_BUILDKIT: '1', JOBBER_VERSION: 'buildkit', JOBBER_COMMIT: '0123abc' };
  const { code, output } = await tryCompose(['build'], environment);
  if (code !== 0 && /buildx/.test(output)) {
    report.skip('BuildKit makes the same image', output.trim().split('\n').at(-1) ?? '');
    return;
  }
  await report.check('BuildKit makes the same image as the older builder', async () => {
    if (code !== 0) throw new Error(output.slice(-3_000));
    const list = (image: string) => docker('run', '--rm', '--entrypoint', 'node', image, '-e', LIST);
    expectEqual(await list('jobber:buildkit'), await list('jobber:0.1.0'));
    const config = async (image: string) => {
      const [{ Config }] = JSON.parse(await docker('inspect', image));
      return [Config.User, Config.Entrypoint, Config.Cmd ?? null, Config.Healthcheck, Config.StopSignal];
    };
    expectEqual(await config('jobber:buildkit'), await config('jobber:0.1.0'));
  });
}

/** The binary can't be had everywhere: another one of the same kind is served in its place. */
export async function checkAddon(report: Report, platform: Platform, folder: string): Promise<void> {
  const { docker, tryCompose } = platform;
  const build = (mirror: string) =>
    tryCompose(['build'], { JOBBER_BROKER: 'pulsar', JOBBER_VERSION: 'addon', PULSAR_CLIENT_MIRROR: mirror });
  await report.check("a build that can't download the addon says why, and what to do", async () => {
    const { code, output } = await build('http://127.0.0.1:1/');
    // The older builder keeps the container that has failed.
    await docker('container', 'prune', '--force');
    const told = [/http:\/\/127\.0\.0\.1:1\/\S+\.tar\.gz failed/, /JOBBER_BROKER=ws needs none/];
    if (code === 0 || !told.every((text) => text.test(output))) throw new Error(output.slice(-3_000));
  });
  await report.check('a build that can has the official client in its image', async () => {
    const host = await hostAddress(platform);
    const server = await serve(await packAddon(folder), host);
    try {
      const { port } = server.address() as AddressInfo;
      const { code, output } = await build(`http://${host}:${port}/`);
      if (code !== 0) throw new Error(output.slice(-3_000));
    } finally {
      server.close();
    }
    const program = `console.log(typeof require('pulsar-client').Client)`;
    const found = await docker('run', '--rm', '--entrypoint', 'node', 'jobber:addon', '-e', program);
    expectEqual(found.trim(), 'function');
  });
}

/** @returns where this machine is reached from within a build */
async function hostAddress({ docker }: Platform): Promise<string> {
  const [{ Options }] = JSON.parse(await docker('network', 'inspect', 'bridge'));
  const [address] = networkInterfaces()[Options['com.docker.network.bridge.name']] ?? [];
  if (address === undefined) throw new Error('the engine has no bridge');
  return address.address;
}

/** @returns an archive in the form of the client's, with another addon in it */
async function packAddon(folder: string): Promise<Buffer> {
  const file = join(folder, 'addon/binding/pulsar.node');
  mkdirSync(dirname(file), { recursive: true });
  const addon = join(REPOSITORY, `node_modules/@node-rs/argon2-linux-${process.arch}-gnu`);
  await mustRun('sh', ['-c', 'cp "$1"/*.node "$2"', 'sh', addon, file]);
  const archive = join(folder, 'addon.tar.gz');
  await mustRun('tar', ['-C', join(folder, 'addon'), '-czf', archive, 'binding']);
  return readFileSync(archive);
}

function serve(content: Buffer, host: string): Promise<Server> {
  const server = createServer((_, response) => response.end(content));
  return new Promise((resolve) => server.listen(0, host, () => resolve(server)));
}
