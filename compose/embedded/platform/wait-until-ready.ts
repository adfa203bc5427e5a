import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const ASK_EVERY_MS = 50;
const ANSWER_WITHIN_MS = 5_000;

/**
 * Resolves when the daemon says that it can serve.
 * @param url its `/<daemon>/ready`
 * @throws when `signal` is aborted
 */
export async function waitUntilReady(url: string, signal: AbortSignal): Promise<void> {
  while (!(await isReady(url, signal))) await delay(ASK_EVERY_MS, undefined, { signal });
}

// Plain HTTP: fetch would cost this long-lived process several megabytes.
function isReady(url: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: ANSWER_WITHIN_MS, signal }, (response) => {
      response.resume();
      response.once('close', () => resolve(response.statusCode === 200));
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
  });
}
