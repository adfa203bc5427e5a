import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Figure } from '../report.ts';
import { round } from '../statistics.ts';

const QUICKSTART = fileURLToPath(new URL('../../compose/embedded/quickstart.ts', import.meta.url));

/** The whole of `npm run quickstart`, from an empty folder to nothing left behind. */
export async function measureQuickstart(): Promise<Figure[]> {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [QUICKSTART], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`quickstart ended with ${status}: ${stdout}${stderr}`);
  const seconds = (performance.now() - started) / 1_000;
  return [
    { name: 'npm run quickstart', value: round(seconds), unit: 's', goal: '< 60 s', met: seconds < 60 },
  ];
}
