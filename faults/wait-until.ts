import { setTimeout as delay } from 'node:timers/promises';

export interface Waiting {
  /** Default 60,000. */
  readonly withinMs?: number;
  /** Default 20. */
  readonly everyMs?: number;
}

/**
 * Resolves with the condition's value once that is neither false nor undefined. A condition that throws is not met yet.
 * @param what completes "waiting until …"
 * @throws after `withinMs`, with what was waited for and the condition's last error
 */
export async function waitUntil<T>(
  what: string,
  condition: () => T | Promise<T>,
  { withinMs = 60_000, everyMs = 20 }: Waiting = {},
): Promise<Exclude<T, false | undefined>> {
  const deadline = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`Gave up waiting until ${what}, after ${withinMs / 1000} s.`, { cause: last });
    }
    await delay(everyMs);
  }
}
