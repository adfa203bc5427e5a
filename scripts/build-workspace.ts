// Compiles the workspace in the current folder into its dist folder: TypeScript becomes JavaScript, package.json points
// to the JavaScript, every other file that a running program may read is copied. Types are not checked here.
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isTestFile } from './is-test-file.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));

/**
 * @param folder the workspace, an absolute path
 * @throws when the compiler finds a syntax error; its messages are on stderr then
 */
export function buildWorkspace(folder: string): void {
  const dist = join(folder, 'dist');
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  const files = globSync('**/*', { cwd: folder, exclude: isLeftOut, withFileTypes: true })
    // `exclude` keeps the search out of folders; files it does not leave out.
    .filter((entry) => entry.isFile() && !isLeftOut(entry))
    .map((entry) => join(entry.parentPath, entry.name));
  const sources = files.filter((file) => file.endsWith('.ts'));
  if (sources.length > 0) compile(sources, folder, dist);
  for (const file of files) {
    if (!file.endsWith('.ts')) cpSync(file, join(dist, file.slice(folder.length)));
  }
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify(builtManifest(manifest), null, 2)}\n`);
}

function isLeftOut(entry: { name: string }): boolean {
  const { name } = entry;
  return (
    [
      'node_modules',
      'dist',
      'test',
      'testing',
      'coverage',
      '__snapshots__',
      '.turbo',
      '.env',
      'package.json',
    ].includes(name) ||
    isTestFile(name) ||
    name.endsWith('.md') ||
    name.endsWith('.log')
  );
}

function compile(sources: string[], folder: string, dist: string): void {
  // Each file on its own: nothing is resolved, so a workspace's output depends on nothing but the workspace.
  const config = join(dist, 'tsconfig.build.json');
  const compilerOptions = {
    noEmit: false,
    noCheck: true,
    noResolve: true,
    types: [],
    sourceMap: true,
    inlineSources: true,
    noEmitOnError: true,
    rootDir: folder,
    outDir: dist,
  };
  const extended = join(repository, 'tsconfig.json');
  writeFileSync(config, JSON.stringify({ extends: extended, compilerOptions, include: [], files: sources }));
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
  const result = spawnSync(process.execPath, [join(dirname(typescript), 'bin/tsc'), '-p', config], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  rmSync(config);
  if (result.status !== 0) throw new Error(`tsc could not compile ${folder}: its messages are above`);
}

/** The manifest with each path to a TypeScript file turned into the path of what it became. */
export function builtManifest(value: unknown): unknown {
  if (typeof value === 'string')
    return value.startsWith('./') ? value.replace(/(?<!\.d)\.ts$/, '.js') : value;
  if (Array.isArray(value)) return value.map(builtManifest);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'scripts' && key !== 'devDependencies')
      .map(([key, inner]) => [key, builtManifest(inner)]),
  );
}

if (import.meta.main) buildWorkspace(resolve('.'));
