// What must be told clearly and end by itself: nothing starts over and over, and nothing is half done.
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expectEqual } from './check-build.ts';
import type { Platform } from './platform.ts';
import type { Report } from './report.ts';
import { mustRun } from './run-command.ts';
import { waitUntil } from './wait-until.ts';

const UP = ['up', '-d', '--wait', '--wait-timeout', '240'];
const DATABASES = ['auth', 'jobs', 'products'];
/** A cluster takes about 60 MB with its first log; the migrations have to find what is left too small. */
const SMALL_DISK = { size: '140m', leavesBytes: 1_000_000 };

/** Before anything runs; what was started by then stays. */
export async function checkStartRefusals(report: Report, platform: Platform): Promise<void> {
  const { tryCompose, containers } = platform;
  await report.check(
    'wrong settings of several daemons are told at once, before anything is started',
    async () => {
      const wrong = { LOG_LEVEL: 'loud', AUTH_COOKIE_SECURE: 'perhaps', EXECUTOR_THREADS: 'x' };
      const { code, output } = await tryCompose(UP, wrong);
      if (code === 0 || !output.includes('service "secrets" didn\'t complete successfully: exit 78'))
        throw new Error(`exit code ${code}: ${output.slice(-500)}`);
      const { output: said } = await tryCompose(['logs', '--no-log-prefix', 'secrets']);
      expectEqual(
        Object.keys(wrong).filter((variable) => !said.includes(`${variable} must be `)),
        [],
      );
      const started = (await containers()).filter(({ State }) => State.Status !== 'created');
      expectEqual(
        started.map(({ Config, RestartCount }) => [
          Config.Labels['com.docker.compose.service'],
          RestartCount,
        ]),
        [['secrets', 0]],
      );
    },
  );
  await report.check('a port that is taken is named, and nothing goes on trying', async () => {
    const port = Number(new URL(platform.addresses.auth).port);
    const taker = createServer();
    await new Promise<void>((resolve) => taker.listen(port, '127.0.0.1', resolve));
    try {
      const { code, output } = await tryCompose(UP);
      if (code === 0 || !new RegExp(`127.0.0.1:${port}.*(in use|allocated)`).test(output))
        throw new Error(`exit code ${code}: ${output.slice(-500)}`);
      const [auth] = await containers('auth');
      expectEqual([auth?.State.Status, auth?.RestartCount], ['created', 0]);
    } finally {
      await new Promise((resolve) => taker.close(resolve));
    }
  });
}

/** @param platform with compose/test/small-disk.yaml over the other file, and SMALL_DISK=`disk` */
export async function checkSmallDisk(report: Report, platform: Platform, disk: string): Promise<void> {
  const { compose, tryCompose, containers } = platform;
  mkdirSync(disk);
  await mustRun('mount', ['-t', 'tmpfs', '-o', `size=${SMALL_DISK.size}`, 'tmpfs', disk]);
  try {
    await report.check(
      'migrations that find no room say so, end, and leave nothing half done; with room they are applied',
      async () => {
        await compose('up', '-d', '--wait', 'postgres');
        fill(join(disk, 'filler'));
        await compose('up', '-d', 'migrate');
        await waitUntil(
          'the migrations give up',
          async () => (await containers('migrate'))[0]?.State.Status,
          (status) => status === 'exited',
        );
        const { output } = await tryCompose(['logs', '--no-log-prefix', 'migrate']);
        if (!/not migrated: .*No space left on device/.test(output)) throw new Error(output);
        rmSync(join(disk, 'filler'));
        for (const name of DATABASES) await expectWholeMigrations(platform, name);
        await compose('up', '-d', 'migrate');
        await waitUntil(
          'the migrations are applied',
          async () => (await containers('migrate'))[0]?.State,
          (state) => state?.Status === 'exited' && state.ExitCode === 0,
        );
      },
    );
  } finally {
    await compose('down', '-v');
    await mustRun('umount', [disk]);
  }
}

/** Leaves less than the migrations need. */
function fill(file: string): void {
  const { bavail, bsize } = statfsSync(join(file, '..'));
  writeFileSync(file, Buffer.alloc(bavail * bsize - SMALL_DISK.leavesBytes));
}

/** Either nothing of a migration is there or all of it: as many tables as its record says. */
async function expectWholeMigrations(platform: Platform, name: string): Promise<void> {
  const tables = await psql(
    platform,
    name,
    `select count(*) from pg_tables where schemaname = 'public' and tablename <> 'migrations'`,
  );
  const recorded = await psql(platform, name, `select to_regclass('migrations') is not null`);
  const applied = recorded === 't' ? await psql(platform, name, 'select count(*) from migrations') : '0';
  expectEqual([name, applied === '0'], [name, tables === '0']);
}

/** On a platform that runs; it is as before afterwards. */
export async function checkDatabaseRefusals(report: Report, platform: Platform): Promise<void> {
  const { compose, tryCompose, containers } = platform;
  const healthOf = async (name: string) => (await containers(name))[0]?.State.Health?.Status;
  const migrate = () => tryCompose(['run', '--rm', '--no-deps', 'migrate']);
  await report.check(
    'a wrong password is told, nobody starts over and over, and the right one heals it',
    async () => {
      await psql(platform, 'postgres', `alter role auth password 'another'`);
      try {
        const { code, output } = await migrate();
        if (
          code !== 1 ||
          !output.includes('auth: not migrated: password authentication failed for user "auth"')
        )
          throw new Error(`exit code ${code}: ${output}`);
        await compose('restart', 'auth');
        await waitUntil(
          'Auth tells it',
          async () => (await tryCompose(['logs', '--tail', '3', 'auth'])).stdout,
          (said) => said.includes('password authentication failed'),
        );
        expectEqual((await containers('auth'))[0]?.RestartCount, 0);
      } finally {
        const password = await compose('exec', '-T', 'postgres', 'cat', '/run/jobber/auth-password');
        await psql(platform, 'postgres', `alter role auth password '${password.trim()}'`);
      }
      await waitUntil(
        'Auth is healthy',
        () => healthOf('auth'),
        (health) => health === 'healthy',
      );
    },
  );
  await report.check(
    'databases of a newer version are told, and are neither changed nor refused',
    async () => {
      const newer = '9999-of-a-newer-version';
      for (const name of DATABASES)
        await psql(platform, name, `insert into migrations (name, executed_at) values ('${newer}', now())`);
      try {
        const { code, output } = await migrate();
        const told = DATABASES.filter((name) =>
          output.includes(`${name}: up to date; it has ${newer} of a newer version`),
        );
        expectEqual([code, told], [0, DATABASES]);
        await compose('restart', 'auth');
        await waitUntil(
          'Auth is healthy',
          () => healthOf('auth'),
          (health) => health === 'healthy',
        );
      } finally {
        for (const name of DATABASES)
          await psql(platform, name, `delete from migrations where name = '${newer}'`);
      }
    },
  );
}

async function psql({ compose }: Platform, database: string, statement: string): Promise<string> {
  const args = ['psql', '-XAtqU', 'postgres', '-d', database, '-v', 'ON_ERROR_STOP=1', '-c', statement];
  return (await compose('exec', '-T', 'postgres', ...args)).trim();
}
