import { execFileSync } from 'node:child_process';
import { readProcessStat } from './process-stat.ts';

/**
 * A name for a running process that no later process shares: its id and the time it began. Process ids are reused,
 * so the id alone would name a stranger after a crash. Undefined when no such process runs (a zombie does not).
 */
export function identifyProcess(pid: number): string | undefined {
  return process.platform === 'linux' ? identifyByProc(pid) : identifyByPs(pid);
}

function identifyByProc(pid: number): string | undefined {
  const stat = readProcessStat(pid);
  return !stat || stat.state === 'Z' || stat.state === 'X' ? undefined : `${pid} ${stat.startTime}`;
}

function identifyByPs(pid: number): string | undefined {
  try {
    const started = execFileSync('/bin/ps', ['-p', String(pid), '-o', 'lstart='], {
      encoding: 'utf8',
      env: { LC_ALL: 'C' },
    });
    return `${pid} ${started.trim()}`;
  } catch {
    return undefined;
  }
}
