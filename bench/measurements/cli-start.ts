import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Figure } from '../report.ts';
import { median, round } from '../statistics.ts';

const RUNS = 15;
const SHIM = fileURLToPath(new URL('../../cli/bin/jobber.js', import.meta.url));

/** `jobber --version` beside `node -e 0`, in turn, as whole processes. */
export async function measureCliStart(): Promise<Figure[]> {
  const bare: number[] = [];
  const version: number[] = [];
  for (let run = -2; run < RUNS; run += 1) {
    const a = timeProcess(['-e', '0']);
    const b = timeProcess([SHIM, '--version']);
    if (run < 0) continue;
    bare.push(a);
    version.push(b);
  }
  const ratio = median(version.map((ms, i) => ms / (bare[i] ?? Number.NaN)));
  return [
    { name: 'node -e 0', value: round(median(bare)), unit: 'ms' },
    { name: 'jobber --version', value: round(median(version)), unit: 'ms' },
    {
      name: 'jobber --version / node -e 0',
      value: round(ratio, 2),
      unit: '×',
      goal: '≤ 2 ×',
      met: ratio <= 2,
    },
  ];
}

function timeProcess(args: readonly string[]): number {
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} failed: ${stderr}`);
  return performance.now() - started;
}
