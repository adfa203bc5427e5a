import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CHECKER = fileURLToPath(new URL('../checker/main.ts', import.meta.url));

/** What the checker writes, as far as this side needs it. */
export interface Judgement {
  readonly valid: boolean;
  readonly counts: Readonly<Record<string, number>>;
  readonly seen: Readonly<Record<string, number>>;
  readonly longestRecoveryMs: number;
  readonly problems: readonly {
    readonly invariant: string;
    readonly kind: string;
    readonly message: string;
  }[];
  /** The table as it is printed. */
  readonly table: string;
}

export interface JudgeOptions {
  readonly callsFile: string;
  readonly pollsFile: string;
  /** For the verdict. */
  readonly folder: string;
  /** CHECKER_* variables: where it may read. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Runs the checker as the program of its own that it is. @throws when it gives no verdict */
export async function judge(options: JudgeOptions): Promise<Judgement> {
  const json = join(options.folder, 'verdict.json');
  const { callsFile, pollsFile } = options;
  const args = [CHECKER, '--calls', callsFile, '--polls', pollsFile, '--json', json];
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'], ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let table = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    table += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0 && code !== 1) throw new Error(`The checker ended with exit code ${code}: ${complaint}`);
  if (table === '') throw new Error(`The checker gave no verdict: ${complaint}`);
  return { ...(JSON.parse(readFileSync(json, 'utf8')) as Omit<Judgement, 'table'>), table };
}
