// Puts what the workspaces were compiled to together in dist/, in the repository's own layout, so that
// `node dist/daemons/auth/main.js` runs: there a package of ours is found under dist/node_modules, others above it.
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @param repository absolute path of the folder whose package.json names the workspaces
 * @param wanted the workspaces to put together, all of them built: by default all there are
 * @returns their folders, relative to the repository
 */
export function assembleDist(repository: string, wanted?: readonly string[]): string[] {
  const dist = join(repository, 'dist');
  rmSync(dist, { recursive: true, force: true });
  const folders = globSync([...(wanted ?? readManifest(repository).workspaces ?? [])], {
    cwd: repository,
  }).sort();
  for (const folder of folders) {
    const built = join(repository, folder, 'dist');
    if (!existsSync(built)) throw new Error(`${folder} is not built: ${built} does not exist`);
    cpSync(built, join(dist, folder), { recursive: true });
    link(join(dist, folder), join(dist, 'node_modules', readManifest(built).name));
    // Packages that npm could not hoist, because another workspace has another version of them.
    const own = join(repository, folder, 'node_modules');
    if (existsSync(own)) link(own, join(dist, folder, 'node_modules'));
  }
  const assets = join(repository, 'assets');
  if (existsSync(assets)) cpSync(assets, join(dist, 'assets'), { recursive: true });
  return folders;
}

function readManifest(folder: string): { name: string; workspaces?: string[] } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as ReturnType<typeof readManifest>;
}

/** A relative link, so that dist/ may be moved or copied together with node_modules. */
function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(relative(dirname(path), target), path, 'dir');
}

if (import.meta.main) {
  const wanted = process.argv.slice(2);
  const folders = assembleDist(
    fileURLToPath(new URL('..', import.meta.url)),
    wanted.length > 0 ? wanted : undefined,
  );
  process.stdout.write(`dist/ holds ${folders.length} workspaces\n`);
}
