import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { createMeasurements, createRuns } from './measure-peer.js';

// Each kind of work has a queue in the setting that is best for it. A NOTIFY wakes workers at once, which latency and one
// bulk insert gain from; in each of many single inserts it costs more than half of the rate (one lock is held across the
// commits), so there the workers poll, as often as pg-boss lets them.
const QUEUES = { single: { notify: false }, bulk: { notify: true }, latency: { notify: true } };
const SHORTEST_POLL_SECONDS = 0.5;

// By its documentation: `burstWhenBatchFull` fetches on without a pause while batches come back full, `batchSize` and
// `localConcurrency` (workers in this process) set how many jobs one statement fetches and completes.
const WORK = {
  single: { batchSize: 100, localConcurrency: 1, burstWhenBatchFull: true },
  bulk: { batchSize: 1_000, localConcurrency: 2, burstWhenBatchFull: true },
  latency: { batchSize: 1, localConcurrency: 1 },
};
// For 64 submitters, 16 connections were faster than 10, 24 and 64.
const CONNECTIONS = 16;
const INSERT_AT_ONCE = 5_000;

export async function startPeer(connectionString) {
  const boss = new PgBoss({ connectionString, max: CONNECTIONS, useListenNotify: true, schedule: false });
  boss.on('error', (error) => console.error(error));
  await boss.start();
  const sql = new pg.Client({ connectionString });
  await sql.connect();
  const runs = createRuns();
  for (const [kind, queue] of Object.entries(QUEUES)) {
    await boss.createQueue(kind, queue);
    await boss.work(kind, { ...WORK[kind], pollingIntervalSeconds: SHORTEST_POLL_SECONDS }, async (jobs) => {
      for (const job of jobs) runs.handled(kind, job.id);
    });
  }

  return createMeasurements({
    ran: runs.ran,
    untilRun: runs.untilRun,
    submit: (kind) => boss.send(kind, {}),
    async submitAll(count) {
      for (let from = 0; from < count; from += INSERT_AT_ONCE) {
        const size = Math.min(INSERT_AT_ONCE, count - from);
        await boss.insert(
          'bulk',
          Array.from({ length: size }, () => ({ data: {} })),
        );
      }
    },
    async unfinished(kind) {
      const { rows } = await sql.query({
        name: 'unfinished',
        text: `select count(*)::int as n from pgboss.job where name = $1 and state < 'completed'`,
        values: [kind],
      });
      return rows[0].n;
    },
    async isCompleted(id) {
      const { rows } = await sql.query({
        name: 'completed',
        text: `select state = 'completed' as completed from pgboss.job where name = 'latency' and id = $1`,
        values: [id],
      });
      return rows[0].completed;
    },
    async stop() {
      await sql.end();
      await boss.stop({ graceful: false });
    },
  });
}
