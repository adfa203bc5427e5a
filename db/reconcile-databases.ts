import { compareDatabases, type DatabaseUrls, type Differences, withClients } from './compare-databases.ts';

export interface ReconcileOptions {
  /** Takes back what unknown jobs have made: their effects, and the products that they created. */
  readonly removeProducts: boolean;
  /** Ends every login: of those that were ended after Auth's moment nothing is known any more. */
  readonly endSessions: boolean;
}

/** What was changed. */
export interface Reconciled {
  /** Of the next job; undefined when it could stay as it was. */
  readonly nextJobId: number | undefined;
  readonly productsRemoved: number;
  readonly sessionsEnded: number;
}

/** Distance to numbers that may have been given out and left no trace. */
const SKIPPED_JOB_NUMBERS = 1_000;

/**
 * Mends what can be mended when the three databases were restored to different moments; what the platform must not be
 * running for. Safe to repeat. Missing effects and unknown owners stay: nobody but a person knows what is right there.
 */
export async function reconcileDatabases(
  urls: DatabaseUrls,
  { removeProducts, endSessions }: ReconcileOptions,
): Promise<{ before: Differences; done: Reconciled }> {
  const before = await compareDatabases(urls);
  const done = await withClients(urls, async ({ auth, jobs, products }) => {
    const { jobNumbersUsed, unknownJobs } = before;
    const nextJobId = jobNumbersUsed && jobNumbersUsed.highestUsed + SKIPPED_JOB_NUMBERS;
    if (nextJobId) await jobs.query(`select setval('job_id_seq', $1, false)`, [nextJobId]);
    let productsRemoved = 0;
    if (removeProducts) {
      for (const { jobId } of unknownJobs) {
        // One transaction a job: an effect goes with its product.
        await products.query('begin');
        const removed = await products.query(
          `delete from product where id in (select product_id from effect where job_id = $1 and created)
             and not exists (select from effect other where other.product_id = product.id and other.job_id <> $1)`,
          [jobId],
        );
        await products.query('delete from effect where job_id = $1', [jobId]);
        await products.query('commit');
        productsRemoved += removed.rowCount ?? 0;
      }
    }
    const ended = endSessions
      ? await auth.query(
          `update session set ended_at = now(), ended_because = 'logged out' where ended_at is null and expires_at > now()`,
        )
      : undefined;
    return { nextJobId, productsRemoved, sessionsEnded: ended?.rowCount ?? 0 };
  });
  return { before, done };
}
