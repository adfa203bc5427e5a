// What `npm run check` runs: all checks, also after one has failed, so that one run names everything.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('..', import.meta.url));

// The output is kept and shown only on failure, so the tools cannot see by themselves whether this is a terminal.
const colors = `--colors=${process.stdout.isTTY ? 'force' : 'off'}`;

interface Check {
  name: string;
  command: string[];
  folder?: string;
}

const checks: Check[] = [
  { name: 'format and lint', command: ['biome', 'ci', '--error-on-warnings', colors, '.'] },
  { name: 'types', command: ['tsc'] },
  { name: 'dependency rule', command: ['node', 'scripts/check-boundaries.ts'] },
  { name: 'generated code', command: ['node', 'scripts/check-generated.ts'] },
  { name: 'protocol lint', command: ['buf', 'lint'], folder: 'proto' },
  // As the fault suite applies them: the code that they break may have changed.
  { name: 'broken builds', command: ['sh', '-c', 'git apply --check -C1 faults/broken-builds/*.patch'] },
  ...breakingCheck(),
];

/** Compares the protocol with the last release's; before the first release there is nothing to compare with. */
function breakingCheck(): Check[] {
  const tag = spawnSync('git', ['describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*'], {
    cwd: repository,
    encoding: 'utf8',
  });
  if (tag.status !== 0) return [];
  const against = `../.git#tag=${tag.stdout.trim()},subdir=proto`;
  return [
    { name: 'protocol compatibility', command: ['buf', 'breaking', '--against', against], folder: 'proto' },
  ];
}

function passes({ name, command, folder }: Check): boolean {
  const started = performance.now();
  const [program = '', ...args] = command;
  const run = spawnSync(program, args, { cwd: `${repository}${folder ?? ''}`, encoding: 'utf8' });
  const ok = run.status === 0;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'}  ${name} (${seconds} s)\n`);
  if (!ok)
    process.stdout.write(`\n${run.stdout ?? ''}${run.stderr ?? ''}${run.error ? `${run.error}\n` : ''}\n`);
  return ok;
}

const failed = checks.filter((check) => !passes(check));
process.stdout.write(`\n${checks.length - failed.length} of ${checks.length} checks passed\n`);
if (failed.length > 0) process.exitCode = 1;
