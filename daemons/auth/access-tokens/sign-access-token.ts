import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { KeyRing } from '../signing-keys/key-ring.ts';
import {
  ACCESS_TOKEN_ALGORITHM,
  ACCESS_TOKEN_AUDIENCE,
  ACCESS_TOKEN_TYPE,
  type AccessTokenRules,
} from './access-token-rules.ts';

export interface AccessToken {
  readonly token: string;
  readonly expiresAt: Date;
}

export type SignAccessToken = (holder: { userId: string; sessionId: string }) => Promise<AccessToken>;

export function createAccessTokenSigner(keys: KeyRing, rules: AccessTokenRules): SignAccessToken {
  return async function signAccessToken({ userId, sessionId }) {
    const { kid, privateKey } = keys.signingKey();
    const issuedAt = Math.floor(Date.now() / 1_000);
    const expiresAt = issuedAt + rules.ttlSeconds;
    const token = await new SignJWT({ sid: sessionId })
      .setProtectedHeader({ alg: ACCESS_TOKEN_ALGORITHM, kid, typ: ACCESS_TOKEN_TYPE })
      .setIssuer(rules.issuer)
      .setAudience(ACCESS_TOKEN_AUDIENCE)
      .setSubject(userId)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .setJti(randomUUID())
      .sign(privateKey);
    return { token, expiresAt: new Date(expiresAt * 1_000) };
  };
}
