import type { Pool, PoolClient } from 'pg';

/**
 * Does `work` in one transaction and commits it; or takes it back, when `keep` says so of its result. When anything is
 * thrown, the connection is closed, which ends the transaction: a database that does not answer is not asked once more.
 */
export async function inTransaction<Result>(
  pool: Pool,
  work: (client: PoolClient) => Promise<Result>,
  keep: (result: Result) => boolean = () => true,
): Promise<Result> {
  const client = await pool.connect();
  let failed = true;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query(keep(result) ? 'commit' : 'rollback');
    failed = false;
    return result;
  } finally {
    client.release(failed);
  }
}
