import { cleanText, formatRecord, toJsonLine } from './format-record.ts';
import type { LogRecord } from './log-stream.ts';

/** A standard stream, as far as it is used here. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** What a running platform shows: one block when it is ready, then its log; or nothing but JSON on standard output. */
export interface Screen {
  record(record: LogRecord): void;
  /** Shows what is being done, on a terminal only. */
  phase(phase: string, afterMs: number): void;
  /** Shows the block, then what was logged before it. */
  ready(block: (color: boolean) => string): void;
  fail(message: string): void;
}

/** Of what went before a failed start; the log files have all of it. */
const MOST_PROBLEMS = 10;

export function createScreen(options: {
  stdout: Output;
  stderr: Output;
  json: boolean;
  color: boolean;
}): Screen {
  const { stdout, stderr, json, color } = options;
  const live = stderr.isTTY === true;
  let held: LogRecord[] | undefined = [];

  function clearPhase(): void {
    if (live && held) stderr.write('\r\x1b[K');
  }

  function print(record: LogRecord): void {
    stdout.write(`${json ? toJsonLine(record) : formatRecord(record, color)}\n`);
  }

  return {
    record(record) {
      if (json || !held) print(record);
      else held.push(record);
    },
    phase(phase) {
      if (live && held) stderr.write(`\r\x1b[K${phase === 'ready' ? '' : `Starting jobber: ${phase} …`}`);
    },
    ready(block) {
      clearPhase();
      (json ? stderr : stdout).write(block(color && !json));
      const before = held ?? [];
      held = undefined;
      if (!json) before.forEach(print);
    },
    fail(message) {
      clearPhase();
      const problems = (held ?? []).filter(({ fields }) => fields?.['level'] !== 'info');
      held = undefined;
      if (!json) {
        for (const problem of problems.slice(-MOST_PROBLEMS))
          stderr.write(`${formatRecord(problem, color)}\n`);
      }
      stderr.write(`Error: ${cleanText(message)}\n`);
    },
  };
}
