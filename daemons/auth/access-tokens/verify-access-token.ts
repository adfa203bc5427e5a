import { errors, type JWTPayload, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { KeyRing } from '../signing-keys/key-ring.ts';
import {
  ACCESS_TOKEN_ALGORITHM,
  ACCESS_TOKEN_AUDIENCE,
  ACCESS_TOKEN_TYPE,
  type AccessTokenRules,
} from './access-token-rules.ts';

/** What a genuine, unexpired access token says. Whether its session still lives is the database's to say. */
export interface AccessTokenClaims {
  readonly userId: string;
  readonly sessionId: string;
  readonly expiresAtMs: number;
}

/** `undefined` for every token that is not ours, not whole or not valid now. @throws AppError 503 UNAVAILABLE */
export type VerifyAccessToken = (token: string) => Promise<AccessTokenClaims | undefined>;

/** Ours have some 500 characters. */
const MAX_LENGTH = 4_096;
/** How far the clocks of two Auth replicas may differ; an expired token is not tolerated for a second. */
const CLOCK_TOLERANCE_SECONDS = 5;
/** A signature is checked once: what it says can't change. 10,000 tokens are some 10 MB. */
const MAX_REMEMBERED = 10_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function createAccessTokenVerifier(keys: KeyRing, rules: AccessTokenRules): VerifyAccessToken {
  const remembered = new LRUCache<string, AccessTokenClaims>({ max: MAX_REMEMBERED });

  async function verify(token: string): Promise<AccessTokenClaims | undefined> {
    const kid = keyIdOf(token);
    const key = kid === undefined ? undefined : await keys.verificationKey(kid);
    if (!key) return undefined;
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [ACCESS_TOKEN_ALGORITHM],
        typ: ACCESS_TOKEN_TYPE,
        issuer: rules.issuer,
        audience: ACCESS_TOKEN_AUDIENCE,
        requiredClaims: ['iss', 'aud', 'sub', 'sid', 'iat', 'exp', 'jti'],
        maxTokenAge: rules.ttlSeconds,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      });
      return claimsOf(payload, rules);
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  return async function verifyAccessToken(token) {
    if (token.length > MAX_LENGTH) return undefined;
    const claims = remembered.get(token) ?? (await verify(token));
    if (!claims || claims.expiresAtMs <= Date.now()) return undefined;
    remembered.set(token, claims);
    return claims;
  };
}

/**
 * The key id of a token that looks exactly as we write them: three parts in canonical base64url, and a header of alg,
 * kid and typ alone. Headers that bring or name keys (jwk, jku, x5c, x5u) or demand extensions (crit) end here; so do
 * re-encodings that a lenient decoder would read the same.
 */
function keyIdOf(token: string): string | undefined {
  const parts = token.split('.');
  if (parts.length !== 3 || !parts.every(isCanonicalBase64url)) return undefined;
  try {
    const header: unknown = JSON.parse(Buffer.from(parts[0] ?? '', 'base64url').toString('utf8'));
    if (typeof header !== 'object' || header === null) return undefined;
    const { alg, kid, typ, ...others } = header as Record<string, unknown>;
    const isOurs =
      alg === ACCESS_TOKEN_ALGORITHM && typ === ACCESS_TOKEN_TYPE && Object.keys(others).length === 0;
    return isOurs && typeof kid === 'string' ? kid : undefined;
  } catch {
    return undefined;
  }
}

function isCanonicalBase64url(part: string): boolean {
  return part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part;
}

function claimsOf(payload: JWTPayload, { ttlSeconds }: AccessTokenRules): AccessTokenClaims | undefined {
  const { sub, sid, iat, exp, jti, aud } = payload;
  if (typeof sub !== 'string' || !UUID.test(sub) || typeof sid !== 'string' || !UUID.test(sid))
    return undefined;
  if (typeof jti !== 'string' || aud !== ACCESS_TOKEN_AUDIENCE) return undefined;
  // jose has checked that they are numbers; a life longer than ours is nothing we have signed.
  if (iat === undefined || exp === undefined || exp <= iat || exp - iat > ttlSeconds) return undefined;
  return { userId: sub, sessionId: sid, expiresAtMs: exp * 1_000 };
}
