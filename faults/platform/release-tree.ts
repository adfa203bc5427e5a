import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { linkPackages, type TreeCopy } from './copy-tree.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const LOCK_FILE = 'package-lock.json';

/**
 * The version that an upgrade to this one begins with: `JOBBER_UPGRADE_FROM` (a commit, a tag or a branch), else the last release, else what came before
 * the newest migration. Undefined where git does not know.
 */
export function findEarlierVersion(): string | undefined {
  const wanted = process.env['JOBBER_UPGRADE_FROM'];
  if (wanted) return wanted;
  const release = git('describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*');
  if (release) return release;
  const newest = git('log', '-1', '--diff-filter=A', '--format=%H', '--', 'db/*/migrations/migration-*.ts');
  return newest && git('rev-parse', '--verify', '--quiet', `${newest}^`);
}

/**
 * The sources of an earlier version in a temporary folder, with the packages of its lock file: those that are installed here where the lock file is the
 * same, else fetched by `npm ci`.
 */
export function checkOut(version: string): TreeCopy {
  const root = mkdtempSync(join(tmpdir(), 'jobber-faults-tree-'));
  const remove = () => rmSync(root, { recursive: true, force: true });
  try {
    const archive = execFileSync('git', ['archive', '--format=tar', version], {
      cwd: REPOSITORY,
      maxBuffer: 256 * 1024 * 1024,
    });
    execFileSync('tar', ['-x', '-C', root], { input: archive });
    const locks = [REPOSITORY, root].map((folder) => readFileSync(join(folder, LOCK_FILE), 'utf8'));
    if (locks[0] === locks[1]) linkPackages(root);
    else execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: 'pipe' });
    return { root, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function git(...args: string[]): string | undefined {
  const { status, stdout } = spawnSync('git', args, { cwd: REPOSITORY, encoding: 'utf8' });
  return status === 0 ? stdout.trim() || undefined : undefined;
}
