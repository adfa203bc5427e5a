import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { inject } from 'vitest';
import { parseAllDocuments } from 'yaml';

/** On PATH, where charts/test/fetch-tools.sh can put it. */
export const HELM = 'helm';

/** An object of Kubernetes, as far as tests look at it. */
// biome-ignore lint/suspicious/noExplicitAny: manifests of any kind
export type Manifest = any;

export interface Rendering {
  /** Whether Helm accepted the values. */
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Helm where `jobber` is the chart's folder. */
export function helm(...args: string[]): Rendering {
  const run = spawnSync(HELM, args, { cwd: inject('charts'), encoding: 'utf8', maxBuffer: 64 * 1_024 ** 2 });
  if (run.error) throw run.error;
  return { ok: run.status === 0, stdout: run.stdout, stderr: run.stderr };
}

/** `helm template` of the chart as release `jobber` in the namespace `jobber`. */
export function template(...args: string[]): Rendering {
  return helm('template', 'jobber', join(inject('charts'), 'jobber'), '--namespace', 'jobber', ...args);
}

/** The manifests that the chart renders with `args`. @throws Error with Helm's words when it refuses */
export function render(...args: string[]): Manifest[] {
  const { ok, stdout, stderr } = template(...args);
  if (!ok) throw new Error(stderr);
  return parseAllDocuments(stdout).flatMap((document) => {
    const manifest: Manifest = document.toJS();
    return manifest ? [manifest] : [];
  });
}

/** The one manifest of this kind and name. */
export function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.filter((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found.length !== 1) throw new Error(`There are ${found.length} of ${kind} ${name}`);
  return found[0];
}

export function ofKind(manifests: readonly Manifest[], kind: string): Manifest[] {
  return manifests.filter((manifest) => manifest.kind === kind);
}
