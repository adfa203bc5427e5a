import { type BenchClient, connect } from './client.ts';
import type { BenchPlatform } from './platform.ts';

/** What a measurement works with: a running platform and a user of its own. */
export interface BenchContext {
  readonly platform: BenchPlatform;
  readonly client: BenchClient;
  /** The user's jobs that have not ended; 0 or "at least one". */
  countUnfinished(): Promise<number>;
}

export async function createContext(platform: BenchPlatform): Promise<BenchContext> {
  const client = await connect(platform.addresses);
  return {
    platform,
    client,
    async countUnfinished() {
      const query = '{ jobs(filter: { status: [IN_PROGRESS] }, limit: 1) { id } }';
      return (await client.jobs<{ jobs: unknown[] }>(query)).jobs.length;
    },
  };
}
