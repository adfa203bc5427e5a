import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * A name for a running process that no later process shares: its id and the time it began. Process ids are reused,
 * so the id alone would name a stranger after a crash. Undefined when no such process runs (a zombie does not).
 */
export function identifyProcess(pid: number): string | undefined {
  return process.platform === 'linux' ? identifyByProc(pid) : identifyByPs(pid);
}

function identifyByProc(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The second field, the program's name in brackets, may hold blanks and brackets itself. After the last one come
  // state (field 3) … starttime (field 22, in clock ticks since boot): proc_pid_stat(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${pid} ${fields[19]}`;
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
