import { createHmac, timingSafeEqual } from 'node:crypto';

const CALLER_NAMES = ['auth', 'jobs', 'executor', 'products'] as const;
/** The daemons, and whoever else calls them over gRPC. */
export type CallerName = (typeof CALLER_NAMES)[number];

export const CALLER_HEADER = 'x-jobber-caller';
export const CREDENTIAL_HEADER = 'x-jobber-credential';

/** The credential by which a caller proves its name: HMAC-SHA256 of the name under the shared service secret, in hex. */
export function credentialOf(caller: CallerName, serviceSecret: string): string {
  return createHmac('sha256', serviceSecret).update(`jobber-service:${caller}`).digest('hex');
}

/** Checks credentials against those of the callers that there are, which are computed once. */
export function createCredentialCheck(
  serviceSecret: string,
): (caller: string, credential: string) => boolean {
  const credentials = new Map<string, Buffer>(
    CALLER_NAMES.map((caller) => [caller, Buffer.from(credentialOf(caller, serviceSecret))]),
  );
  return function isCredentialOf(caller, credential) {
    const expected = credentials.get(caller);
    const given = Buffer.from(credential);
    return expected !== undefined && given.length === expected.length && timingSafeEqual(given, expected);
  };
}
