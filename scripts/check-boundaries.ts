// The dependency rule: which workspace may import what. Cycles and reads of the environment are Biome's to find.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findImports, type ImportSite } from './find-imports.ts';
import { isTestFile } from './is-test-file.ts';

/**
 * Our packages that a workspace may import: a whole package, or one path of it.
 * `lazily`: only by import('…'), because a command that does not need it should not pay for it.
 */
const rules: Record<string, { mayImport: string[]; lazily?: string[] }> = {
  proto: { mayImport: [] },
  db: { mayImport: [] },
  'daemons/shared': { mayImport: ['@jobber/proto'] },
  'daemons/job-types': { mayImport: ['@jobber/proto', '@jobber/shared'] },
  'daemons/auth': daemon('auth'),
  'daemons/jobs': daemon('jobs'),
  'daemons/products': daemon('products'),
  'daemons/executor': { mayImport: ['@jobber/proto', '@jobber/shared', '@jobber/job-types'] },
  compose: { mayImport: ['@jobber/proto', '@jobber/shared', '@jobber/db'] },
  cli: { mayImport: ['@jobber/proto'], lazily: ['@jobber/compose'] },
  bench: {
    mayImport: ['@jobber/proto', '@jobber/shared', '@jobber/db', '@jobber/compose', '@jobber/job-types'],
  },
  faults: { mayImport: ['@jobber/proto', '@jobber/shared', '@jobber/compose', '@jobber/job-types'] },
};

/** Folders that judge the product and therefore know nothing of it: Node, their own files and these packages. */
const independent: Record<string, string[]> = { 'faults/checker': ['pg'] };

function daemon(database: string) {
  const parts = [database, 'column-text', 'connection', 'listening', 'migrate', 'prepare'];
  const ofDb = parts.map((part) => `@jobber/db/${part}`);
  return { mayImport: ['@jobber/proto', '@jobber/shared', ...ofDb] };
}

/** What a use case must not know about: it is called by edges, and calls what it is given. */
const transports = /^(hono|@hono\/.+|graphql|graphql-.+|@grpc\/.+|nice-grpc.*|pulsar-client|ws)$/;
const transportPaths = /^@jobber\/shared\/(http|graphql|grpc)$|^\.\.?\/(.*\/)?(http|graphql|grpc|edges)\//;

interface Manifest {
  name: string;
  workspaces?: string[];
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

interface Workspace {
  folder: string;
  manifest: Manifest;
  toolPackages: string[];
}

/**
 * @param repository absolute path of the folder whose package.json names the workspaces
 * @returns one sentence per violation, with file and line; empty when the rule is kept
 */
export function boundaryViolations(repository: string): string[] {
  const root = readManifest(repository);
  const toolPackages = Object.keys(root.devDependencies ?? {});
  return globSync(root.workspaces ?? [], { cwd: repository })
    .sort()
    .flatMap((folder) => {
      const workspace = { folder, manifest: readManifest(join(repository, folder)), toolPackages };
      if (!rules[folder]) return [`${folder}: no rule says what it may import (scripts/check-boundaries.ts)`];
      return [...forbiddenDependencies(workspace), ...workspaceViolations(repository, workspace)];
    });
}

function forbiddenDependencies({ folder, manifest }: Workspace): string[] {
  const rule = rules[folder];
  const allowed = [...(rule?.mayImport ?? []), ...(rule?.lazily ?? [])];
  return Object.keys(manifest.dependencies ?? {})
    .filter((name) => name.startsWith('@jobber/') && !allowed.some((path) => packageOf(path) === name))
    .map((name) => `${folder}/package.json: depends on ${name}, which ${folder} must not import`);
}

function workspaceViolations(repository: string, workspace: Workspace): string[] {
  const home = join(repository, workspace.folder);
  const files = globSync('**/*.ts', { cwd: home, exclude: ['**/node_modules', '**/dist'] }).sort();
  return files.flatMap((file) =>
    findImports(readFileSync(join(home, file), 'utf8')).flatMap((site) => {
      const problem = importProblem(site, file, workspace);
      return problem ? [`${workspace.folder}/${file}:${site.line}: ${problem}`] : [];
    }),
  );
}

function importProblem(site: ImportSite, file: string, workspace: Workspace): string | undefined {
  const { specifier } = site;
  const isTest = isTestFile(file);
  if (file.startsWith('use-cases/') && !isTest) {
    if (transports.test(packageOf(specifier)) || transportPaths.test(specifier))
      return `a use case must not import a transport: ${specifier}`;
  }
  if (specifier.startsWith('node:')) return undefined;
  const dependent = independenceProblem(specifier, join(workspace.folder, file), isTest);
  if (dependent) return dependent;
  if (specifier.startsWith('.')) return escapes(specifier, file) ? leavesWorkspace(specifier) : undefined;
  const name = packageOf(specifier);
  if (name === workspace.manifest.name) return undefined;
  if (name.startsWith('@jobber/')) {
    // A test may start what it needs, such as a throwaway PostgreSQL.
    if (isTest && name === '@jobber/compose') return undefined;
    const forbidden = forbiddenImport(site, workspace.folder);
    if (forbidden) return forbidden;
  }
  return isDeclared(name, workspace, isTest)
    ? undefined
    : `${name} is not among the dependencies in ${workspace.folder}/package.json`;
}

function independenceProblem(specifier: string, path: string, isTest: boolean): string | undefined {
  const folder = Object.keys(independent).find((name) => path.startsWith(`${name}/`));
  if (folder === undefined || (isTest && specifier === 'vitest')) return undefined;
  const own = specifier.startsWith('.') && join(dirname(path), specifier).startsWith(`${folder}/`);
  if (own || independent[folder]?.includes(specifier)) return undefined;
  return `${folder} must know nothing of the product: ${specifier}`;
}

function forbiddenImport({ specifier, lazy }: ImportSite, folder: string): string | undefined {
  const rule = rules[folder];
  const covers = (path: string) => specifier === path || specifier.startsWith(`${path}/`);
  if (rule?.mayImport.some(covers)) return undefined;
  if (!rule?.lazily?.some(covers)) return `${folder} must not import ${specifier}`;
  return lazy ? undefined : `${folder} may import ${specifier} only lazily, by import('…')`;
}

function isDeclared(name: string, { manifest, toolPackages }: Workspace, isTest: boolean): boolean {
  if (name in { ...manifest.dependencies, ...manifest.optionalDependencies }) return true;
  return isTest && (name in (manifest.devDependencies ?? {}) || toolPackages.includes(name));
}

function escapes(specifier: string, file: string): boolean {
  return relative('/', resolve('/home', dirname(file), specifier)).split('/')[0] !== 'home';
}

function leavesWorkspace(specifier: string): string {
  return `${specifier} is in another workspace; import it by its package's name`;
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

if (import.meta.main) {
  const violations = boundaryViolations(fileURLToPath(new URL('..', import.meta.url)));
  for (const violation of violations) process.stdout.write(`${violation}\n`);
  if (violations.length > 0) process.exitCode = 1;
}
