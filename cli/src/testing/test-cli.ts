// Runs the CLI as users do: a process of its own, with a home folder of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { storeCredential } from '../session/credentials.ts';
import { TOKENS } from './test-platform.ts';

/** The program itself. */
export const shim = fileURLToPath(new URL('../../bin/jobber.js', import.meta.url));

export interface Run {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** Parsed stdout. */
  json: () => unknown;
}

export interface Running {
  child: ChildProcess;
  /** Waits until stdout and stderr together contain the text. */
  until: (text: string) => Promise<void>;
  ended: Promise<Run>;
}

export interface TestCli extends Disposable {
  home: string;
  /** As if the user had logged in to the server. */
  loginTo: (url: string, changes?: { expiresAt?: string }) => void;
  run: (args: string[], options?: RunOptions) => Promise<Run>;
  start: (args: string[], options?: RunOptions) => Running;
  /** Any program, in the same surroundings: one that makes a pseudo-terminal. Its stdin stays open. */
  startProgram: (words: string[]) => Running;
}

interface RunOptions {
  input?: string;
  env?: Record<string, string>;
}

export function makeTestCli(server?: string): TestCli {
  const home = mkdtempSync(join(tmpdir(), 'jobber-cli-'));
  const launch = (words: string[], options: RunOptions) => {
    const [program = '', ...rest] = words;
    const env = {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: home,
      JOBBER_HOME: join(home, 'jobber'),
      ...(server && { JOBBER_SERVER: server }),
      ...options.env,
    };
    return spawn(program, rest, { env, cwd: home, stdio: ['pipe', 'pipe', 'pipe'] });
  };
  const start = (args: string[], options: RunOptions = {}): Running => {
    const child = launch([process.execPath, shim, ...args], options);
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    return follow(child);
  };
  return {
    home: join(home, 'jobber'),
    loginTo: (url, changes = {}) => {
      const addresses = { auth: url, jobs: url, products: url };
      const login = { profile: 'local', userId: 'u1', email: 'ada@example.com' };
      storeCredential(join(home, 'jobber'), { ...login, addresses, ...TOKENS, ...changes });
    },
    run: (args, options) => start(args, options).ended,
    start,
    startProgram: (words) => follow(launch(words, {})),
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}

function follow(child: ChildProcess): Running {
  let stdout = '';
  let stderr = '';
  let notify = () => {};
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    stdout += text;
    notify();
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text;
    notify();
  });
  const ended = new Promise<Run>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) =>
      resolve({ exitCode, signal, stdout, stderr, json: () => JSON.parse(stdout) as unknown }),
    );
  });
  const until = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (`${stdout}${stderr}`.includes(text)) resolve();
      };
      notify = look;
      look();
      void ended.then(() => reject(new Error(`the CLI ended without "${text}": ${stdout}${stderr}`)), reject);
    });
  return { child, until, ended };
}
