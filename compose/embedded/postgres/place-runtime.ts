import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { constants, type Dirent, existsSync } from 'node:fs';
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresBinaries } from './find-binaries.ts';
import { PostgresError } from './postgres-error.ts';
import type { ServerUser } from './server-user.ts';

/**
 * A folder with PostgreSQL's programs that `user` can run: the installed one where that works, else a copy (about
 * 50 MB, made once per version). A copy is needed when node_modules lies under a folder closed to that user, or when
 * npm did not run the package's install script, which makes the links its libraries need. Nothing is written into
 * node_modules, which may be read-only.
 * @param cacheFolders where a copy may lie; the first that works is taken
 */
export async function placeRuntime(
  binaries: PostgresBinaries,
  user: ServerUser | undefined,
  cacheFolders: readonly string[] = defaultCacheFolders(),
): Promise<string> {
  const problems: string[] = [];
  const installed = await tryToRun(binaries.native, user);
  if (installed === undefined) return binaries.native;
  problems.push(`${binaries.native}: ${installed}`);

  for (const folder of cacheFolders) {
    try {
      const copy = await copyOnce(binaries, folder);
      const problem = await tryToRun(copy, user);
      if (problem === undefined) return copy;
      await rm(copy, { recursive: true, force: true });
      problems.push(`${copy}: ${problem}`);
    } catch (error) {
      if (error instanceof PostgresError) throw error;
      problems.push(`${folder}: ${(error as Error).message}`);
    }
  }
  throw new PostgresError(
    'binaries-unusable',
    `PostgreSQL's programs cannot be run${user ? ` by user id ${user.uid}` : ''} (${problems.join('; ')}).`,
  );
}

function defaultCacheFolders(): string[] {
  const uid = process.geteuid?.() ?? 0;
  const usual = uid === 0 ? '/var/cache/jobber' : join(homedir(), '.cache', 'jobber');
  return [usual, join(tmpdir(), `jobber-cache-${uid}`)];
}

/** Undefined when it runs. Running it is the only test that knows of closed folders, links, noexec and the C library. */
async function tryToRun(native: string, user: ServerUser | undefined): Promise<string | undefined> {
  const program = join(native, 'bin', 'postgres');
  try {
    await promisify(execFile)(program, ['--version'], { ...user, cwd: '/', env: {}, timeout: 20_000 });
    return undefined;
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
    if (user && (code === 'EPERM' || code === 'EINVAL')) {
      throw new PostgresError(
        'user-switch-refused',
        `PostgreSQL refuses to run as root, and this process may not switch to user id ${user.uid}: ` +
          'run jobber as an ordinary user.',
        { cause: error },
      );
    }
    if (code === 'ENOENT' && existsSync(program)) {
      throw new PostgresError(
        'binaries-unusable',
        `PostgreSQL's programs cannot be run here: they need the C library glibc (${program}).`,
        { cause: error },
      );
    }
    return stderr?.trim().split('\n')[0] || String(code ?? message);
  }
}

async function copyOnce(binaries: PostgresBinaries, cacheFolder: string): Promise<string> {
  await makeTrustedFolder(cacheFolder);
  const copy = join(cacheFolder, binaries.key);
  const wanted = await listNeeded(binaries.native);
  if (await isWhole(copy, binaries.native, wanted)) return copy;

  const staging = `${copy}.new-${randomUUID()}`;
  try {
    await copyTree(binaries.native, staging, wanted);
    await rename(staging, copy).catch(async (error: Error) => {
      // Another process made the same copy at the same time: its copy is as good, and perhaps in use by now.
      if (await isWhole(copy, binaries.native, wanted)) return;
      if (!existsSync(copy)) throw error;
      const damaged = `${copy}.damaged-${randomUUID()}`;
      await rename(copy, damaged);
      await rename(staging, copy);
      await rm(damaged, { recursive: true, force: true });
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return copy;
}

/** Programs are run from here: nobody else may have made the folder or be able to write to it. */
async function makeTrustedFolder(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  try {
    await mkdir(folder);
    await chmod(folder, 0o755);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== process.geteuid?.() || (found.mode & 0o022) !== 0) {
    throw new Error('it belongs to somebody else or others may write to it');
  }
}

/** All files but those for compiling against PostgreSQL; links are made from the package's own list. */
async function listNeeded(native: string): Promise<string[]> {
  const entries: Dirent[] = await readdir(native, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.a'))
    .map((entry) => relative(native, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes('pgxs') && !path.includes('pkgconfig'));
}

/** A power cut can leave a renamed copy with empty files; sizes tell. */
async function isWhole(copy: string, native: string, files: readonly string[]): Promise<boolean> {
  try {
    await Promise.all(
      files.map(async (file) => {
        const [ours, theirs] = await Promise.all([stat(join(copy, file)), stat(join(native, file))]);
        if (ours.size !== theirs.size) throw new Error('damaged');
      }),
    );
    return true;
  } catch {
    return false;
  }
}

async function copyTree(native: string, target: string, files: readonly string[]): Promise<void> {
  const folders = new Set(['.', ...files.map((file) => dirname(file))]);
  for (const folder of folders) {
    await mkdir(join(target, folder), { recursive: true });
  }
  for (const folder of await readdir(target, { recursive: true, withFileTypes: true })) {
    await chmod(join(folder.parentPath, folder.name), 0o755);
  }
  await chmod(target, 0o755);
  await Promise.all(
    files.map(async (file) => {
      // A clone where the file system can (no second 50 MB), else a copy.
      await copyFile(join(native, file), join(target, file), constants.COPYFILE_FICLONE);
      const program = file.startsWith('bin') || file.includes('.so') || file.includes('.dylib');
      await chmod(join(target, file), program ? 0o755 : 0o644);
    }),
  );
  for (const link of await readLinks(native)) {
    const path = join(target, relative('native', link.target));
    await symlink(relative(dirname(link.target), link.source), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

async function readLinks(native: string): Promise<{ source: string; target: string }[]> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  return JSON.parse(list) as { source: string; target: string }[];
}
