import { randomBytes } from 'node:crypto';

/** The `traceparent` of W3C Trace Context. All zeros are no id, and version ff is none. */
const TRACEPARENT = /^(?!ff)([\da-f]{2})-((?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2})(-.*)?$/;
const MAX_LENGTH = 512;

/**
 * Reads what anybody may have written. A later version may have more at its end, which nobody understands here.
 * @returns it in the version that is known, 55 characters; undefined when it is none
 */
export function readTraceparent(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > MAX_LENGTH) return undefined;
  const [, version, known, more] = TRACEPARENT.exec(text) ?? [];
  if (known === undefined || (version === '00' && more !== undefined)) return undefined;
  return `00-${known}`;
}

/** The beginning of a trace, for a request that belongs to none. Not sampled: nobody has asked for it to be recorded. */
export function newTraceparent(): string {
  const ids = randomBytes(24).toString('hex');
  return `00-${ids.slice(0, 32)}-${ids.slice(32)}-00`;
}
