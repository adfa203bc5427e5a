// Generates the protocol's code anew, beside the checked-in one, and names each file that differs.
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @param proto absolute path of the folder with the .proto files, buf's configuration and gen/
 * @returns the files under gen/ that are missing, stale or changed by hand
 * @throws when the code cannot be generated; buf's messages are on stderr then
 */
export function staleGeneratedFiles(proto: string): string[] {
  const fresh = mkdtempSync(join(tmpdir(), 'jobber-generated-'));
  try {
    const run = spawnSync('buf', ['generate', '--output', fresh], { cwd: proto, stdio: ['ignore', 2, 2] });
    if (run.error) throw run.error;
    if (run.status !== 0) throw new Error(`buf generate failed in ${proto}: its messages are above`);
    return differingFiles(join(fresh, 'gen'), join(proto, 'gen'));
  } finally {
    rmSync(fresh, { recursive: true });
  }
}

function differingFiles(left: string, right: string): string[] {
  const names = new Set([left, right].flatMap((folder) => filesIn(folder)));
  return [...names].filter((name) => content(join(left, name)) !== content(join(right, name))).sort();
}

function filesIn(folder: string): string[] {
  return globSync('**/*', { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

function content(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  const stale = staleGeneratedFiles(fileURLToPath(new URL('../proto', import.meta.url)));
  for (const name of stale) process.stdout.write(`proto/gen/${name} is not what the .proto files give\n`);
  if (stale.length > 0) {
    process.stdout.write('Run `npm run generate-ts-proto` and commit the result.\n');
    process.exitCode = 1;
  }
}
