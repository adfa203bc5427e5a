import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
/** What the daemons and their migrations consist of. */
const PARTS = ['daemons', 'db', 'proto', 'package.json', 'tsconfig.json'];

export interface TreeCopy {
  readonly root: string;
  remove(): void;
}

/**
 * A copy of the product's sources in a temporary folder with a patch applied; installed packages are linked.
 * @param patch absolute path of a file that `git apply` understands
 * @throws with what to do when the patch does not apply any more
 */
export function copyTreeWith(patch: string): TreeCopy {
  const root = mkdtempSync(join(tmpdir(), 'jobber-faults-tree-'));
  const remove = () => rmSync(root, { recursive: true, force: true });
  try {
    for (const part of PARTS) {
      cpSync(join(REPOSITORY, part), join(root, part), {
        recursive: true,
        filter: (source) => !/\/(node_modules|dist)$/.test(source),
      });
    }
    linkPackages(root);
    applyPatch(root, patch);
    return { root, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Packages of others are the repository's; ours are the copies. */
export function linkPackages(root: string): void {
  const from = join(REPOSITORY, 'node_modules');
  const to = join(root, 'node_modules');
  mkdirSync(join(to, '@jobber'), { recursive: true });
  for (const name of readdirSync(from)) {
    if (name !== '@jobber') symlinkSync(join(from, name), join(to, name));
  }
  for (const name of readdirSync(join(from, '@jobber'))) {
    const target = readlinkSync(join(from, '@jobber', name));
    symlinkSync(target, join(to, '@jobber', name));
  }
}

function applyPatch(root: string, patch: string): void {
  try {
    // Not within a repository: git would look for the files of the one around it.
    const environment = {
      ...process.env,
      GIT_CEILING_DIRECTORIES: tmpdir(),
      GIT_DIR: join(root, '.no-repository'),
    };
    execFileSync('git', ['apply', '-C1', patch], { cwd: root, stdio: 'pipe', env: environment });
  } catch (error) {
    const said = String((error as { stderr?: Buffer }).stderr ?? error).trim();
    throw new Error(
      `${patch} does not apply any more: the code it breaks has changed. Break the same rule in the new code, and write the difference to that file. git says: ${said}`,
      { cause: error },
    );
  }
}
