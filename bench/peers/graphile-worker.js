import { makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';
import { createMeasurements, createRuns } from './measure-peer.js';

// As its page on performance recommends for throughput: 24 jobs at the same time, a local queue of 500 jobs that are
// fetched by one statement, and completions that are written together without a delay. Statements are prepared, which is
// its default. `refetchDelay` is that of its own performance test: with the 100 ms of its default it would start late.
const SETTINGS = {
  concurrentJobs: 24,
  localQueue: { size: 500, refetchDelay: { durationMs: 10 } },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
};
// One more than jobs at the same time, as there. With 64 connections its 64 submitters were half as fast: each insert holds
// the one lock of NOTIFY across its commit.
const CONNECTIONS = 25;
const INSERT_AT_ONCE = 5_000;

export async function startPeer(connectionString) {
  const pgPool = new pg.Pool({ connectionString, max: CONNECTIONS });
  // Its own listeners are there only while it runs; a connection that is lost then must not end the process.
  pgPool.on('error', (error) => console.error(error.message));
  pgPool.on('connect', (client) => client.on('error', () => {}));
  const runs = createRuns();
  const handle =
    (kind) =>
    async (_, { job }) =>
      runs.handled(kind, job.id);
  const runner = await run({
    pgPool,
    noHandleSignals: true,
    logger: quietLogger(await import('graphile-worker')),
    preset: { worker: SETTINGS },
    taskList: { single: handle('single'), bulk: handle('bulk'), latency: handle('latency') },
  });

  const utils = await makeWorkerUtils({ pgPool });
  return createMeasurements({
    ran: runs.ran,
    untilRun: runs.untilRun,
    submit: async (kind) => (await utils.addJob(kind, {})).id,
    async submitAll(count) {
      for (let from = 0; from < count; from += INSERT_AT_ONCE) {
        const size = Math.min(INSERT_AT_ONCE, count - from);
        await utils.addJobs(Array.from({ length: size }, () => ({ identifier: 'bulk', payload: {} })));
      }
    },
    // Its completed jobs are deleted.
    async unfinished() {
      const { rows } = await pgPool.query('select count(*)::int as n from graphile_worker.jobs');
      return rows[0].n;
    },
    async isCompleted(id) {
      const { rows } = await pgPool.query({
        name: 'completed',
        text: 'select from graphile_worker._private_jobs where id = $1',
        values: [id],
      });
      return rows.length === 0;
    },
    async stop() {
      await utils.release();
      await runner.stop();
      await pgPool.end();
    },
  });
}

function quietLogger({ Logger }) {
  return new Logger(() => (level, message) => {
    if (level === 'error' || level === 'warning') console.error(message);
  });
}
