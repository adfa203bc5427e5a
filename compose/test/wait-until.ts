import { setTimeout as delay } from 'node:timers/promises';

/**
 * Looks again and again until it is so.
 * @throws with what was seen at last when it is not within `limitMs` milliseconds
 */
export async function waitUntil<T>(
  what: string,
  look: () => Promise<T>,
  isSo: (seen: T) => boolean,
  limitMs = 120_000,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (isSo(seen)) return;
    if (Date.now() > deadline) throw new Error(`${what}: not so; seen was ${JSON.stringify(seen)}`);
    await delay(200);
  }
}
