import { spawn } from 'node:child_process';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  /** What it wrote to both, as it came. */
  readonly output: string;
}

interface Options {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: string;
  /** It is killed then, with all that it started. In milliseconds. */
  readonly limitMs?: number;
}

/** Runs a program to its end, whatever that is. */
export function runCommand(program: string, args: readonly string[], options: Options = {}): Promise<Ended> {
  const { env, cwd, input = '', limitMs = 300_000 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, cwd, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let output = '';
    const timer = setTimeout(() => {
      output += `\nkilled after ${limitMs / 1000} s`;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, limitMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, output });
    });
  });
}

/** @throws with the end of its output when it does not end with 0 */
export async function mustRun(program: string, args: readonly string[], options?: Options): Promise<string> {
  const { code, stdout, output } = await runCommand(program, args, options);
  if (code === 0) return stdout;
  const end = output.trim().split('\n').slice(-40).join('\n');
  throw new Error(`${program} ${args.join(' ').slice(0, 200)} ended with ${code}:\n${end}`);
}
