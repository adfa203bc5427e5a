import { readdirSync, readFileSync } from 'node:fs';
import type { FaultPlatform } from './fault-platform.ts';

/** What a daemon takes of the machine. */
export interface Footprint {
  readonly name: string;
  /** Open files and sockets. */
  readonly descriptors: number;
  /** MiB in memory. */
  readonly memoryMb: number;
}

/** Of each daemon; needs Linux' /proc. @throws when one does not run */
export function readFootprints({ daemons }: FaultPlatform): Footprint[] {
  return daemons.map((daemon) => {
    const pid = daemon.pid();
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
    return {
      name: daemon.name,
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
      memoryMb: Math.round(kilobytes / 1_024),
    };
  });
}

/** Sessions of the daemons in PostgreSQL. */
export async function countConnections({ databases }: FaultPlatform): Promise<number> {
  const sql = `select count(*)::int as count from pg_stat_activity where usename in ('auth', 'jobs', 'products')`;
  return (await databases.query<{ count: number }>('jobs', sql))[0]?.count ?? 0;
}
