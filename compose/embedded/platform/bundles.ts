import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PLATFORM_ROOT, type Programs, programsBy, sourcePrograms } from './daemon-programs.ts';

/**
 * Programs of which an installation made one file each (scripts/bundle-programs.ts): Node starts such a file in a third
 * of the time that it takes to find and link more than a thousand modules. A bundle is only ever run in place of the very
 * sources that it was made of.
 */
export interface BundlesManifest {
  /** What the bundles were made of, relative to the root: the project's files, and npm's list of installed packages. */
  readonly inputs: readonly string[];
  /** See `digestInputs`. */
  readonly digest: string;
}

/** What npm wrote down when it last changed the installed packages. */
export const INSTALLED_PACKAGES = 'node_modules/.package-lock.json';

/** Where bundles lie: packages and workspaces are found from there as they are from the sources. */
export function bundlesFolder(root: string): string {
  return join(root, 'node_modules', '.jobber');
}

export function manifestFile(root: string): string {
  return join(bundlesFolder(root), 'bundles.json');
}

/** The file of a program, such as `daemons/auth/main`. */
export function bundleFile(root: string, program: string): string {
  return join(bundlesFolder(root), program, 'bundle.js');
}

/** SHA-256 over the names and contents of files. @throws when one cannot be read */
export function digestInputs(root: string, inputs: readonly string[]): string {
  const hash = createHash('sha256');
  for (const input of inputs) {
    const content = readFileSync(join(root, input));
    hash.update(`${input}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/** The bundles, or the sources when there are none or a source has changed since they were made. */
export function currentPrograms(root = PLATFORM_ROOT): Programs {
  if (!areCurrent(root)) return sourcePrograms(root);
  return programsBy((program) => bundleFile(root, program));
}

function areCurrent(root: string): boolean {
  try {
    const { inputs, digest } = JSON.parse(readFileSync(manifestFile(root), 'utf8')) as BundlesManifest;
    return digestInputs(root, inputs) === digest;
  } catch {
    // None were made, their making was broken off, or a source is gone.
    return false;
  }
}
