import { join } from 'node:path';
import { type LogFile, openLogFile } from '../log-file.ts';
import type { DaemonName } from './daemon-programs.ts';
import { makePrivateFolder } from './private-file.ts';

/** Whoever says something: a daemon, PostgreSQL, or jobber itself that watches over them. */
export type LogSource = DaemonName | 'postgres' | 'up';
export type LogLevel = 'info' | 'warn' | 'error' | 'fatal';

export interface LogRecord {
  readonly source: LogSource;
  /** As it was written. */
  readonly line: string;
  /** Undefined when the line is not a JSON object: what Node itself writes before a daemon dies, for example. */
  readonly fields: Readonly<Record<string, unknown>> | undefined;
  /** ISO 8601. */
  readonly time: string;
}

/** Everything that the parts of a platform say: kept in one file each, and handed on as one stream. */
export interface LogStream {
  readonly folder: string;
  /** The open file that `source` writes to by itself. */
  outputOf(source: DaemonName): number;
  /** Says something in the name of `source`; it takes its place in the stream. */
  say(
    source: 'up' | 'postgres',
    level: LogLevel,
    message: string,
    fields?: Readonly<Record<string, unknown>>,
  ): void;
  /** The last error that a daemon told of since the stream was opened. */
  lastProblem(source: DaemonName): string | undefined;
  /** Hands on what has been written by now. */
  flush(): void;
  close(): void;
}

const LOOK_EVERY_MS = 100;

/** @param onRecord gets the records of all sources, at most a tenth of a second late, in the order of their times */
export function openLogStream(
  folder: string,
  sources: readonly DaemonName[],
  onRecord: (record: LogRecord) => void,
): LogStream {
  makePrivateFolder(folder);
  const files = new Map<LogSource, LogFile>();
  for (const source of [...sources, 'up'] as const)
    files.set(source, openLogFile(join(folder, `${source}.log`)));
  const problems = new Map<LogSource, string>();
  let said: LogRecord[] = [];
  let closed = false;

  function flush(): void {
    const records = said;
    said = [];
    for (const source of sources) {
      for (const line of files.get(source)?.readNewLines() ?? []) records.push(parseRecord(source, line));
    }
    records.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
    for (const record of records) {
      const problem = problemOf(record);
      if (problem !== undefined) problems.set(record.source, problem);
      onRecord(record);
    }
    // What `up` says is not read back, but its file must not grow for ever either.
    files.get('up')?.readNewLines();
  }

  const timer = setInterval(flush, LOOK_EVERY_MS);
  return {
    folder,
    outputOf: (source) => (files.get(source) as LogFile).fd,
    say(source, level, message, fields = {}) {
      if (closed) return;
      const time = new Date().toISOString();
      const record = { level, time, daemon: source, ...fields, msg: message };
      const line = JSON.stringify(record);
      files.get('up')?.append(line);
      said.push({ source, line, fields: record, time });
    },
    lastProblem(source) {
      if (!closed) flush();
      return problems.get(source);
    },
    flush,
    close() {
      if (closed) return;
      closed = true;
      clearInterval(timer);
      flush();
      for (const file of files.values()) file.close();
    },
  };
}

function problemOf({ fields, line }: LogRecord): string | undefined {
  // What Node itself writes before it gives up.
  if (!fields) return /^(\w*Error\b.*|FATAL ERROR: .*)$/.exec(line)?.[1];
  return fields['level'] === 'fatal' || fields['level'] === 'error' ? String(fields['msg']) : undefined;
}

function parseRecord(source: LogSource, line: string): LogRecord {
  try {
    const fields: unknown = JSON.parse(line);
    if (typeof fields === 'object' && fields !== null && !Array.isArray(fields)) {
      const { time } = fields as { time?: unknown };
      const known = typeof time === 'string' ? time : new Date().toISOString();
      return { source, line, fields: fields as Record<string, unknown>, time: known };
    }
  } catch {
    // Not one of our own records.
  }
  return { source, line, fields: undefined, time: new Date().toISOString() };
}
