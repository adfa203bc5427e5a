import { createHmac, timingSafeEqual } from 'node:crypto';

/** The daemons, and whoever else calls them over gRPC. */
export type CallerName = 'auth' | 'jobs' | 'executor' | 'products';

export const CALLER_HEADER = 'x-jobber-caller';
export const CREDENTIAL_HEADER = 'x-jobber-credential';

/** The credential by which a caller proves its name: HMAC-SHA256 of the name under the shared service secret, in hex. */
export function credentialOf(caller: CallerName, serviceSecret: string): string {
  return createHmac('sha256', serviceSecret).update(`jobber-service:${caller}`).digest('hex');
}

export function isCredentialOf(caller: string, credential: string, serviceSecret: string): boolean {
  const expected = Buffer.from(credentialOf(caller as CallerName, serviceSecret));
  const given = Buffer.from(credential);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
