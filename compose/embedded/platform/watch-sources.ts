import { watch } from 'node:fs';
import { join } from 'node:path';
import { DAEMONS, type DaemonName } from './daemon-programs.ts';

/** Editors write a file several times, and several files at once. */
const QUIET_MS = 150;
const FOLDERS = ['daemons', 'db', 'proto'] as const;

/** What has been edited, and which daemons run it. */
export interface SourceChange {
  readonly paths: readonly string[];
  readonly daemons: readonly DaemonName[];
  /** A migration may have come. */
  readonly database: boolean;
}

/** Watches the sources of the daemons below `root`. @returns a function that ends it */
export function watchSources(root: string, onChange: (change: SourceChange) => void): () => void {
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  function tell(): void {
    const paths = [...changed];
    changed.clear();
    const affected = new Set(paths.flatMap(daemonsAffectedBy));
    const daemons = DAEMONS.filter((name) => affected.has(name));
    onChange({ paths, daemons, database: paths.some((path) => path.startsWith('db/')) });
  }

  const watchers = FOLDERS.map((folder) =>
    watch(join(root, folder), { recursive: true }, (_, file) => {
      const path = `${folder}/${file ?? ''}`;
      if (daemonsAffectedBy(path).length === 0) return;
      changed.add(path);
      clearTimeout(timer);
      timer = setTimeout(tell, QUIET_MS);
    }),
  );
  // A folder that vanishes while it is watched, in a checkout of another branch for example.
  for (const watcher of watchers) watcher.on('error', () => {});
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}

const SOURCE = /\.(ts|graphql|json)$/;
const NO_SOURCE = /(^|\/)(node_modules|dist|\.turbo|testing)\/|(\.test|\.fixture)\.ts$|(^|\/)test-[^/]*\.ts$/;

/** @param path from the repository's root, with slashes */
export function daemonsAffectedBy(path: string): readonly DaemonName[] {
  if (!SOURCE.test(path) || NO_SOURCE.test(path)) return [];
  const [top, second] = path.split('/');
  if (top === 'daemons') {
    if (second === 'job-types') return ['executor'];
    if (second !== 'shared') return DAEMONS.filter((name) => name === second);
  }
  return top === 'db' ? DAEMONS.filter((name) => name !== 'executor') : DAEMONS;
}
