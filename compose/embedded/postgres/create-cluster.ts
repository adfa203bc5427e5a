import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import {
  appendFile,
  chown,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { explainFileError, explainServerOutput, PostgresError } from './postgres-error.ts';
import { dataFolderArgument, type ServerUser } from './server-user.ts';
import { clusterName, stopLeftovers } from './stop-leftovers.ts';

/** The superuser of the embedded server. */
export const ADMIN = 'postgres';

/** Whether `dataDir` holds a whole database cluster. It appears by a rename, so one file in it stands for all. */
export async function readClusterVersion(dataDir: string): Promise<string | undefined> {
  try {
    return (await readFile(join(dataDir, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw explainFileError(error, dataDir);
  }
}

/**
 * Makes a database cluster in `dataDir`, whole or not at all: initdb works in a folder beside it, which is renamed when
 * everything in it is on the disk. Call it only while holding the folder's claim.
 *
 * Text is UTF-8 with PostgreSQL's own C.UTF-8 rules, which are the same on every machine whatever its C library.
 * @param sync whether to wait for the disk. It costs about 0.1 s on a machine with an SSD; without it a power cut soon
 *   after the first start leaves a cluster that looks whole and is not.
 */
export async function createCluster(options: {
  native: string;
  dataDir: string;
  password: string;
  user: ServerUser | undefined;
  sync: boolean;
  logFile: string;
}): Promise<void> {
  const { native, dataDir, password, user, sync, logFile } = options;
  await removeEmpty(dataDir);
  const staging = `${dataDir}.new-${randomUUID()}`;
  const data = join(staging, 'data');
  try {
    await mkdir(data, { recursive: true, mode: 0o700 });
    await writeFile(join(staging, 'password'), password, { mode: 0o600 });
    if (user) {
      for (const path of [staging, data, join(staging, 'password')]) await chown(path, user.uid, user.gid);
    }
    const args = [
      `--pgdata=${dataFolderArgument(data, user)}`,
      // From its working folder, the data folder: the way from above may be closed to this user.
      '--pwfile=../password',
      `--username=${ADMIN}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--no-locale',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--data-checksums',
      '--no-instructions',
      // Shown in the process list: by it a left-over is recognised; see stop-leftovers.ts.
      `--set=cluster_name=${clusterName(data)}`,
      ...(sync ? [] : ['--no-sync']),
    ];
    const wrote = await runInitdb(join(native, 'bin', 'initdb'), args, data, user);
    if (wrote !== undefined) {
      await appendFile(logFile, wrote, { mode: 0o600 }).catch(() => {});
      throw explainServerOutput(wrote, {
        doing: `Creating the database in ${dataDir}`,
        folder: dataDir,
        logFile,
      });
    }
    await rename(data, dataDir);
    if (sync) await syncFolder(dirname(dataDir));
  } catch (error) {
    throw explainFileError(error, dataDir);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Removes what a `createCluster` that was killed left beside `dataDir`. Call it only while holding the claim. */
export async function removeHalfMadeClusters(dataDir: string): Promise<void> {
  const parent = dirname(dataDir);
  for (const name of await readdir(parent)) {
    if (!name.startsWith(`${basename(dataDir)}.new-`)) continue;
    const staging = join(parent, name);
    // Its initdb outlives the process that was killed.
    await stopLeftovers(join(staging, 'data'));
    await rm(staging, { recursive: true, force: true });
  }
}

/**
 * The superuser's password, kept in a file of our own beside `dataDir`, readable by us only; made when `create` is set.
 * It is written before the cluster is: a kill in between costs nothing.
 */
export async function readOrCreatePassword(dataDir: string, create: boolean): Promise<string> {
  const file = `${dataDir}.password`;
  try {
    const password = (await readFile(file, 'utf8')).trim();
    if (password) return password;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw explainFileError(error, file);
  }
  if (!create) {
    throw new PostgresError(
      'password-missing',
      `The password of the data in ${dataDir} is missing: restore ${file}.`,
    );
  }
  const password = randomBytes(24).toString('base64url');
  const staging = `${file}.new-${randomUUID()}`;
  try {
    await writeFile(staging, password, { mode: 0o600, flush: true });
    await rename(staging, file);
  } catch (error) {
    await rm(staging, { force: true });
    throw explainFileError(error, file);
  }
  return password;
}

async function removeEmpty(dataDir: string): Promise<void> {
  try {
    await rmdir(dataDir);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') {
      throw new PostgresError(
        'folder-not-ours',
        `${dataDir} is neither empty nor a PostgreSQL data folder: name another one or empty it.`,
      );
    }
    throw explainFileError(error, dataDir);
  }
}

/**
 * What initdb wrote if it failed, else undefined.
 * initdb (not the server) wants its user id to have a name. In a container that runs as some number there is none: then
 * it is run where that number looks like `nobody`'s, which Linux allows ordinary users unless it is forbidden.
 */
async function runInitdb(
  program: string,
  args: readonly string[],
  cwd: string,
  user: ServerUser | undefined,
): Promise<string | undefined> {
  const wrote = await run(program, args, cwd, user);
  if (user || process.platform !== 'linux' || !wrote?.includes('could not look up effective user ID'))
    return wrote;
  const asNobody = ['--user', '--map-user=65534', '--map-group=65534', program, ...args];
  return (await run('unshare', asNobody, cwd, user)) === undefined ? undefined : wrote;
}

async function run(
  program: string,
  args: readonly string[],
  cwd: string,
  user: ServerUser | undefined,
): Promise<string | undefined> {
  return await new Promise((resolve) => {
    // TZ spares initdb a search through all time zones.
    const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
    execFile(program, [...args], { ...user, cwd, env, timeout: 120_000 }, (error, stdout, stderr) => {
      resolve(error ? stderr || stdout || error.message : undefined);
    });
  });
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
