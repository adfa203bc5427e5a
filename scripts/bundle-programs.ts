// Makes one file of each program that `jobber up` starts, after an installation. They only make its start faster:
// without them, or when a source has changed since, the sources are run.
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type BundlesManifest,
  bundleFile,
  bundlesFolder,
  digestInputs,
  INSTALLED_PACKAGES,
  manifestFile,
} from '../compose/embedded/platform/bundles.ts';
import { DAEMONS, programsBy } from '../compose/embedded/platform/daemon-programs.ts';

const { daemon, migrate } = programsBy((program) => program);
const PROGRAMS = [...DAEMONS.map(daemon), migrate];

/** Packages with a native addon, those that start files of their own, and those that are only loaded when asked for. */
const EXTERNAL = [/^@node-rs\/argon2/, /^piscina$/, /^pulsar-client$/, /^pg-native$/, /^@aws-sdk\//];

/** A bundle lies elsewhere: what a module looks for beside itself is not there. */
const LOOKS_BESIDE_ITSELF = /\b__(dirname|filename)\b/;
/** Only for what is not used here: pino's transports in threads, gRPC's channelz and xDS services. */
const WITHOUT_HARM = /\/node_modules\/(pino|thread-stream|@grpc\/grpc-js)\//;

/**
 * @param root absolute path of the repository, with its packages installed
 * @throws when a program cannot be bundled; there are no bundles then
 */
export async function bundlePrograms(root: string): Promise<void> {
  rmSync(bundlesFolder(root), { recursive: true, force: true });
  const sources: string[] = [];
  // One after the other: the bundler uses all cores for one, and when it fails nothing is still being written.
  for (const program of PROGRAMS) sources.push(...(await bundle(root, program)));
  const inputs = [...new Set([...sources, INSTALLED_PACKAGES])].sort();
  const manifest: BundlesManifest = { inputs, digest: digestInputs(root, inputs) };
  writeFileSync(manifestFile(root), JSON.stringify(manifest));
}

/** @returns the project's files that it was made of, relative to the root */
async function bundle(root: string, program: string): Promise<string[]> {
  const { build } = await import('rolldown');
  const file = bundleFile(root, program);
  const { output } = await build({
    input: join(root, `${program}.ts`),
    cwd: root,
    platform: 'node',
    external: EXTERNAL,
    // Warnings are about packages' code.
    logLevel: 'silent',
    output: {
      dir: dirname(file),
      entryFileNames: 'bundle.js',
      format: 'esm',
      keepNames: true,
      minify: false,
    },
  });
  const modules = output.flatMap((chunk) => (chunk.type === 'chunk' ? Object.entries(chunk.modules) : []));
  for (const [id, { code }] of modules) {
    if (LOOKS_BESIDE_ITSELF.test(code ?? '') && !WITHOUT_HARM.test(id))
      throw new Error(`${id} looks for files beside itself, and would not find them`);
  }
  // Modules that the bundler itself adds have no path.
  const paths = modules.filter(([id]) => id.startsWith('/')).map(([id]) => relative(root, id));
  return paths.filter((path) => !/(^|\/)node_modules\/|^\.\.\//.test(path));
}

if (import.meta.main) {
  try {
    await bundlePrograms(fileURLToPath(new URL('..', import.meta.url)));
  } catch (error) {
    // An installation for production leaves the bundler out.
    const without = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    if (!without)
      process.stderr.write(`jobber up will start more slowly: its programs were not bundled: ${error}\n`);
  }
}
