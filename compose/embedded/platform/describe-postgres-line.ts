import type { LogLevel } from './log-stream.ts';

const PROBLEM = /\b(WARNING|FATAL|PANIC): +(.*)$/;
// What clients that come too early or stay too long are told; ordinary while the server starts or stops.
const ORDINARY =
  /^(the database system is (starting up|shutting down|not yet accepting connections|in recovery mode)|terminating (connection|background worker) )/;

/**
 * What of PostgreSQL's own log deserves to be seen: its file has the rest. A refused
 * statement is its daemon's to report.
 */
export function describePostgresLine(line: string): { level: LogLevel; message: string } | undefined {
  const [, severity, message = ''] = PROBLEM.exec(line) ?? [];
  if (severity === undefined || ORDINARY.test(message)) return undefined;
  const level = severity === 'WARNING' ? 'warn' : severity === 'FATAL' ? 'error' : 'fatal';
  return { level, message };
}
