import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stopWithParent } from '../embedded/postgres/stop-with-parent.ts';
import type { Java } from './find-programs.ts';
import { type ClassArchive, javaArguments } from './java-arguments.ts';
import { PulsarError } from './pulsar-error.ts';

/** A stop in order takes some seconds, and more when it makes the archive of classes. */
const STOPS_WITHIN_MS = 120_000;

export interface RunningJava {
  readonly pid: number;
  /** True from the moment it has ended. */
  hasEnded(): boolean;
  readonly ended: Promise<void>;
  /** Asks it to stop, and kills it when it does not within two minutes. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/** Starts the broker's process in its folder. It ends when this process does, however that ends. */
export async function runJava(options: {
  java: Java;
  jars: string;
  cache: string;
  dataDir: string;
  settingsFile: string;
  bookiePort: number;
  fullSpeed: boolean;
  environment: NodeJS.ProcessEnv;
}): Promise<RunningJava> {
  const { java, cache, dataDir, environment } = options;
  const kept = join(cache, `classes-${java.version}.jsa`);
  const made = `${kept}.${process.pid}-${Date.now()}`;
  const archive: ClassArchive = existsSync(kept) ? { file: kept, make: false } : { file: made, make: true };
  const output = openSync(join(dataDir, 'logs', 'java.log'), 'w', 0o600);
  const child = spawn(java.program, javaArguments({ ...options, archive }), {
    cwd: dataDir,
    env: { PATH: environment['PATH'], LANG: 'C.UTF-8', TZ: 'UTC' },
    stdio: ['ignore', output, output],
    // Ctrl-C in a terminal goes to the whole group: the broker would end before those who still use it.
    detached: true,
  });
  closeSync(output);
  const pid = await pidOf(child, java.program);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const forgetParent = stopWithParent(pid, 'TERM');
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  void ended.then(() => {
    forgetParent();
    if (!archive.make) return;
    // Whoever makes it first: it is the same.
    if (child.exitCode !== null && existsSync(made) && !existsSync(kept)) renameSync(made, kept);
    rmSync(made, { force: true });
  });

  async function kill(): Promise<void> {
    child.kill('SIGKILL');
    await ended;
  }

  return {
    pid,
    hasEnded,
    ended,
    kill,
    async stop() {
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), STOPS_WITHIN_MS);
      await ended;
      clearTimeout(patience);
    },
  };
}

async function pidOf(child: ChildProcess, program: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid as number));
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(new PulsarError('start-failed', `${program} can't be started: ${error.code}.`));
    });
  });
}
