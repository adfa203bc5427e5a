import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { waitUntil } from '../../../faults/wait-until.ts';
import { EXAMPLE } from './install-worker.ts';

/** A worker in a process of its own. */
export interface Worker {
  /** What it has written, on both streams. */
  readonly output: () => string;
  signal(signal: NodeJS.Signals): void;
  /** Resolves when its output has the text. @throws with the output when it ends first, or after a minute */
  shows(text: string): Promise<void>;
  /** How it has ended: the exit code, or the signal. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

export function startWorker(python: string, environment: Readonly<Record<string, string>>): Worker {
  const child = spawn(python, ['worker.py'], {
    cwd: EXAMPLE,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      // The sources stay as they are.
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONUNBUFFERED: '1',
      ...environment,
    },
  });
  let output = '';
  let over = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = once(child, 'close').then(([code, signal]) => {
    over = true;
    return (code ?? signal) as number | NodeJS.Signals;
  });
  return {
    output: () => output,
    signal: (signal) => void child.kill(signal),
    async shows(text) {
      const shown = await waitUntil(`the worker shows "${text}"`, () =>
        output.includes(text) ? 'shown' : over && 'over',
      ).catch((error: Error) => error);
      if (shown !== 'shown') throw new Error(`The worker has not shown "${text}", but:\n${output}`);
    },
    ended,
  };
}
