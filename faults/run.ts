// `npm run test:faults`: chooses and prints the seed, runs the suite, and sums up what the checker has seen.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { summarize } from './summarize.ts';

const USAGE = `npm run test:faults [-- [--seed N] [--long] [part of a file's name ...]]

Starts whole platforms, breaks them in every way that docs/guarantees.md names, and has the checker judge what is left.
  --seed N   the chance of a run that has failed (or FAULTS_SEED); printed at the beginning
  --long     nothing is compressed: takes an hour
Everything else goes to vitest.`;

const args = process.argv.slice(2);
if (args.includes('--help')) {
  process.stdout.write(`${USAGE}\n`);
  process.exit(0);
}

const seed = takeValue('--seed') ?? process.env['FAULTS_SEED'] ?? String(Date.now() % 1_000_000);
if (!/^\d{1,9}$/.test(seed)) {
  process.stderr.write(`--seed must be a whole number of at most nine digits, got ${seed}.\n`);
  process.exit(2);
}
const long = take('--long');
const folder = mkdtempSync(join(tmpdir(), 'jobber-faults-report-'));
const report = join(folder, 'report.ndjson');
process.stdout.write(`seed ${seed}: npm run test:faults -- --seed ${seed} does the same again\n`);

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const config = fileURLToPath(new URL('vitest.config.ts', import.meta.url));
const child = spawn(process.execPath, [vitest, 'run', '--config', config, ...args], {
  stdio: 'inherit',
  env: { ...process.env, FAULTS_SEED: seed, FAULTS_LONG: String(long), FAULTS_REPORT: report },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
child.once('close', (code) => {
  if (existsSync(report)) process.stdout.write(summarize(readFileSync(report, 'utf8'), seed));
  rmSync(folder, { recursive: true });
  process.exitCode = code ?? 1;
});

function take(name: string): boolean {
  const at = args.indexOf(name);
  if (at >= 0) args.splice(at, 1);
  return at >= 0;
}

function takeValue(name: string): string | undefined {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args.splice(at, 2)[1];
}
