// Writes oclif.manifest.json: the snapshot of the commands and flags, which also spares the CLI to load every command at
// its start. `npm run manifest -w cli`
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core/config';
import { settings } from '@oclif/core/settings';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Manifest {
  commands: Record<string, { relativePath?: string[]; isESM?: boolean }>;
  version: string;
}

/** The manifest as text, made from the sources. Paths are left out: the release has others. */
export async function makeManifest(): Promise<string> {
  settings.enableAutoTranspile = false;
  const config = await Config.load({ root, ignoreManifest: true });
  const [plugin] = config.getPluginsList() as unknown as { manifest: Manifest }[];
  const { commands = {}, version } = plugin?.manifest ?? {};
  const sorted = Object.entries(commands)
    .map(([id, { relativePath: _, isESM: __, ...command }]) => [id, command] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `${JSON.stringify({ commands: Object.fromEntries(sorted), version }, null, 2)}\n`;
}

if (import.meta.main) writeFileSync(`${root}oclif.manifest.json`, await makeManifest());
