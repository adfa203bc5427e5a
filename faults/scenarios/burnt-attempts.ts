import type { World } from '../platform/world.ts';

/** Tasks whose attempts were counted against their handler, among those that never fail by themselves. */
export function findBurntAttempts({ platform }: World): Promise<object[]> {
  const sql = `select job_id, seq, failures, interruptions, last_error from task where failures > 0 and type = 'doze'`;
  return platform.databases.query('jobs', sql);
}
