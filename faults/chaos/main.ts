// `npm run chaos`: random faults on a platform of its own, or load on somebody's staging; then the checker.
import { parseArgs } from 'node:util';
import { breakOwnPlatform, type ChaosResult } from './break-own-platform.ts';
import { loadTarget } from './load-target.ts';

const USAGE = `npm run chaos [-- [--seed N] [--minutes M]]
npm run chaos -- --auth URL --jobs URL --products URL [--seed N] [--minutes M]

Without addresses: starts a platform, kills, stops, cuts and crashes its parts at random under load, then heals it, waits
until it is at rest, and has the checker judge it. With the addresses of your own staging: only submits and reads, as a
new user, while you break what you like, and judges by what the public door tells.
  --seed N      the chance of an earlier run; printed at the beginning
  --minutes M   default 5
Exit code 0: nothing lost, doubled, stuck or wrong; 1: something; 2: wrong usage; 3: no verdict, because the platform could
not be reached. docs/guarantees.md says more.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      minutes: { type: 'string', default: '5' },
      auth: { type: 'string' },
      jobs: { type: 'string' },
      products: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const { auth, jobs, products } = values;
  const given = [auth, jobs, products].filter((url) => url !== undefined);
  const seed = Number(values.seed);
  const minutes = Number(values.minutes);
  const isUsable = Number.isInteger(seed) && seed >= 0 && minutes > 0 && minutes <= 24 * 60;
  if (values.help || !isUsable || given.length % 3 !== 0 || given.some((url) => !URL.canParse(url))) {
    process.stdout.write(`${USAGE}\n`);
    return values.help ? 0 : 2;
  }
  process.stdout.write(`seed ${seed}, ${minutes} minutes\n`);
  const result =
    auth && jobs && products
      ? await loadTarget({ auth, jobs, products }, seed, minutes)
      : await breakOwnPlatform(seed, minutes);
  print(seed, result);
  return result.judgement.valid ? 0 : 1;
}

function print(seed: number, { judgement, faults, folder }: ChaosResult): void {
  for (const [name, times] of [...faults].sort())
    process.stdout.write(`${String(times).padStart(4)} × ${name}\n`);
  process.stdout.write(`seed              ${seed}\n${judgement.table}`);
  if (!judgement.valid) process.stdout.write(`Histories, verdict and logs are kept in ${folder}\n`);
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`No verdict: ${error instanceof Error ? error.message : String(error)}\n`);
  return 3;
});
