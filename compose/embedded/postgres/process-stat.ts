import { readFileSync } from 'node:fs';

/** A clock tick of Linux, in milliseconds: times of processes are counted in them. */
const TICK_MS = 10;

/** What Linux tells of a process in `/proc/<pid>/stat`. */
export interface ProcessStat {
  /** One letter: `R` runs, `S` sleeps, `Z` has ended and waits for its parent, … */
  readonly state: string;
  readonly parent: number;
  /** Processor time in user and kernel mode, in milliseconds. */
  readonly ownMs: number;
  /** The same of its children that have ended. */
  readonly endedChildrenMs: number;
  /** When it began, in clock ticks since the machine was started. */
  readonly startTime: string;
}

/** Undefined when no such process runs. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The second field, the program's name in brackets, may hold blanks and brackets itself. After the last one come
  // state (field 3), ppid … utime, stime, cutime, cstime (14 to 17) … starttime (22): proc_pid_stat(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent] = fields;
  const [user, kernel, childrenUser, childrenKernel] = fields
    .slice(11, 15)
    .map((ticks) => Number(ticks) * TICK_MS);
  return {
    state,
    parent: Number(parent),
    ownMs: Number(user) + Number(kernel),
    endedChildrenMs: Number(childrenUser) + Number(childrenKernel),
    startTime: fields[19] ?? '',
  };
}
