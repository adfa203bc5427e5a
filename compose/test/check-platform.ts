import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectEqual } from './check-build.ts';
import { type Platform, REPOSITORY } from './platform.ts';
import type { Report } from './report.ts';
import { runCli } from './run-cli.ts';
import { mustRun } from './run-command.ts';

const DAEMONS = ['auth', 'products', 'jobs', 'executor'];
/** From SIGTERM to the end, in milliseconds, beside the time that Docker itself takes. */
const STOPS_WITHIN_MS = 40_000;

/** Of the running containers themselves, whatever the file says. */
export async function checkHardening(report: Report, platform: Platform): Promise<void> {
  const { containers, tryCompose } = platform;
  await report.check(
    'no container is privileged, writes to its root file system or has no limits',
    async () => {
      for (const { Name, State, HostConfig } of await containers()) {
        if (State.Status !== 'running') continue;
        const { ReadonlyRootfs, CapDrop, SecurityOpt, Memory, PidsLimit } = HostConfig;
        const limited = Memory > 0 && (PidsLimit ?? 0) > 0;
        expectEqual(
          [Name, ReadonlyRootfs, CapDrop, SecurityOpt, limited],
          [Name, true, ['ALL'], ['no-new-privileges:true'], true],
        );
      }
    },
  );
  await report.check('ports are open to this machine only, and the executor has none', async () => {
    for (const { Name, HostConfig } of await containers()) {
      const hosts = Object.values(HostConfig.PortBindings ?? {}).flatMap((ports) =>
        ports.map(({ HostIp }) => HostIp),
      );
      expectEqual([Name, hosts], [Name, /auth|jobs-|products/.test(Name) ? ['127.0.0.1'] : []]);
    }
  });
  await report.check(
    'the daemons run as user 10001 and can write nowhere but to /tmp and the uploads',
    async () => {
      const program = `const fs = require('fs');
      const can = (path) => { try { fs.writeFileSync(path + '/x', ''); fs.rmSync(path + '/x'); return true } catch { return false } };
      console.log(JSON.stringify([process.getuid(), ...['/', '/jobber', '/etc', '/run/jobber', '/secrets', '/tmp'].map(can)]));`;
      for (const daemon of DAEMONS) {
        const { stdout, output } = await tryCompose(['exec', '-T', daemon, 'node', '-e', program]);
        if (stdout === '') throw new Error(output);
        expectEqual(
          [daemon, ...JSON.parse(stdout)],
          [daemon, 10_001, false, false, false, false, false, true],
        );
      }
    },
  );
  await report.check('migrations may be run again, and for one database', async () => {
    for (const args of [[], ['auth', '--wait-seconds', '5']]) {
      const { code, output } = await tryCompose(['run', '--rm', '--no-deps', 'migrate', 'migrate', ...args]);
      if (code !== 0 || !output.includes('auth: up to date')) throw new Error(`exit code ${code}: ${output}`);
    }
  });
  await report.check('no secret is in an environment or in a log', async () => {
    const all = await containers();
    for (const { Name, Config } of all) {
      const leaked = Config.Env.filter((line) => /(SECRET|PASSWORD|TOKEN|URL)=.*[0-9a-f]{32}/.test(line));
      expectEqual([Name, leaked], [Name, []]);
    }
    const { stdout: token } = await tryCompose(['exec', '-T', 'auth', 'cat', '/run/jobber/setup-token']);
    const { stdout: secret } = await tryCompose(['exec', '-T', 'auth', 'cat', '/run/jobber/service-secret']);
    const { output } = await tryCompose(['logs']);
    expectEqual([token.length, secret.length], [64, 64]);
    if (output.includes(token) || output.includes(secret)) throw new Error('a secret is in the logs');
  });
  await report.check('each log begins with the version and the commit', async () => {
    for (const daemon of DAEMONS) {
      const { output } = await tryCompose(['logs', '--no-log-prefix', daemon]);
      if (!output.includes('"version":"0.1.0","commit":"0123abc"'))
        throw new Error(`${daemon}: ${output.slice(0, 500)}`);
    }
  });
}

/** As people use it: the curl scenarios and the CLI, both on the host. */
export async function checkUse(report: Report, platform: Platform, folder: string): Promise<void> {
  const { auth, jobs, products } = platform.addresses;
  await report.check('the curl scenarios', async () => {
    await mustRun('bash', [join(REPOSITORY, 'scripts/curl-scenarios.sh'), auth, jobs, products]);
  });
  const home = join(folder, 'home');
  mkdirSync(home, { mode: 0o700 });
  const profiles = { current: 'local', profiles: { local: platform.addresses } };
  writeFileSync(join(home, 'profiles.json'), JSON.stringify(profiles), { mode: 0o600 });
  const jobber = (args: string[], input?: string) => runCli(home, args, input);
  const account = ['--email', 'ada@example.com', '--password-stdin'];
  await report.check(
    'the setup token in the container of Auth makes the administrator, by the CLI',
    async () => {
      const token = await platform.compose('exec', '-T', 'auth', 'cat', '/run/jobber/setup-token');
      const user = JSON.parse(
        await jobber(['register', ...account, '--setup-token', token], 'correct horse battery\n'),
      );
      expectEqual(user.roles, ['admin']);
      await jobber(['login', ...account], 'correct horse battery\n');
    },
  );
  await report.check('the CLI runs a job, and loads and lists products', async () => {
    const job = JSON.parse(await jobber(['job', 'run', 'fibonacci', '--iterations', '90', '--wait']));
    expectEqual([job.status, job.size], ['COMPLETED', 1]);
    await jobber(['products', 'load', join(REPOSITORY, 'assets/products.json')]);
    const listed = await jobber(['products', 'list']);
    if (!listed.includes('"price"')) throw new Error(listed.slice(0, 500));
  });
}

export async function checkStops(report: Report, platform: Platform): Promise<void> {
  await report.check(
    'docker compose stop: every daemon and PostgreSQL end by themselves, with 0',
    async () => {
      const startedAt = performance.now();
      await platform.compose('stop');
      const tookMs = performance.now() - startedAt;
      for (const { Name, State } of await platform.containers())
        expectEqual([Name, State.ExitCode, State.OOMKilled], [Name, 0, false]);
      if (tookMs > STOPS_WITHIN_MS * 2) throw new Error(`it took ${Math.round(tookMs / 1000)} s`);
    },
  );
}
