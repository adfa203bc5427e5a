import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The measurements, the same ones for every library.
 * @param queue what the library can do:
 *   `submit(kind)` stores one job durably; its id
 *   `submitAll(count)` stores many in the library's own bulk call
 *   `ran(kind)` how many jobs of a kind have gone through the handler
 *   `unfinished(kind)` how many jobs of a kind its tables hold that are not completed
 *   `untilRun(id)` resolves when the handler has run for the job
 *   `isCompleted(id)` whether the job is durably completed
 */
export function createMeasurements(queue) {
  async function untilDone(kind, before, count) {
    // Asked of the database only when all have run: until then it has other things to do.
    while (queue.ran(kind) - before < count) await sleep(1);
    while ((await queue.unfinished(kind)) > 0) await sleep(1);
  }

  /** @returns seconds until the last was accepted and until all were durably completed; this process' share of a core */
  async function time(kind, count, submitAll) {
    const before = queue.ran(kind);
    const cpuBefore = process.cpuUsage();
    const started = performance.now();
    await submitAll();
    const accepted = secondsSince(started);
    await untilDone(kind, before, count);
    const done = secondsSince(started);
    const { user, system } = process.cpuUsage(cpuBefore);
    return { accepted, done, clientCpu: (user + system) / 1e6 / done };
  }

  return {
    oneByOne(count, submitters) {
      let submitted = 0;
      async function submitter() {
        while (submitted < count) {
          submitted += 1;
          await queue.submit('single');
        }
      }
      return time('single', count, () => Promise.all(Array.from({ length: submitters }, submitter)));
    },

    bulk: (count) => time('bulk', count, () => queue.submitAll(count)),

    /** @returns milliseconds from the submission until the job is known to be durably completed, one job at a time */
    async latencies(samples, warmUp) {
      const measured = [];
      for (let n = 0; n < samples + warmUp; n += 1) {
        const started = performance.now();
        const id = await queue.submit('latency');
        await queue.untilRun(id);
        while (!(await queue.isCompleted(id)));
        if (n >= warmUp) measured.push(performance.now() - started);
        await sleep(10);
      }
      return measured;
    },

    stop: () => queue.stop(),
  };
}

/** Which jobs the handler has run: counts by kind, and whoever waits for one job is told. */
export function createRuns() {
  const counts = { single: 0, bulk: 0, latency: 0 };
  const waiting = new Map();
  const early = new Set();
  return {
    ran: (kind) => counts[kind],
    handled(kind, id) {
      counts[kind] += 1;
      if (kind !== 'latency') return;
      const resolve = waiting.get(id);
      if (resolve) resolve();
      else early.add(id);
      waiting.delete(id);
    },
    untilRun(id) {
      if (early.delete(id)) return undefined;
      return new Promise((resolve) => waiting.set(id, resolve));
    },
  };
}

function secondsSince(started) {
  return (performance.now() - started) / 1_000;
}
