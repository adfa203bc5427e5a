import { setTimeout as sleep } from 'node:timers/promises';
import { describeUnknownError } from '@jobber/shared/errors';
import type { Scope } from '@jobber/shared/lifecycle';
import type { Logger } from '@jobber/shared/log';

/**
 * Does `work` again and again with a pause of `intervalMs` milliseconds, also after it has failed, until the daemon
 * stops. That waits for work under way: what may take long has to look at its signal.
 */
export function repeat(
  name: string,
  options: { work: (signal: AbortSignal) => Promise<void>; intervalMs: number; scope: Scope; log: Logger },
): void {
  const { work, intervalMs, log } = options;
  const stop = new AbortController();
  let failing = false;

  async function once(): Promise<void> {
    try {
      await work(stop.signal);
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ error: describeUnknownError(error) }, `${name} failed; trying again`);
      failing = true;
    }
  }

  async function loop(): Promise<void> {
    while (!stop.signal.aborted) {
      await once();
      await sleep(intervalMs, undefined, { signal: stop.signal }).catch(() => {});
    }
  }

  const looping = loop();
  options.scope.defer(name, async () => {
    stop.abort();
    await looping;
  });
}
