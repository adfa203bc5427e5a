import { createHash, randomBytes } from 'node:crypto';

const BYTES = 32;

/** A refresh token: 256 random bits that mean nothing to whoever holds them. The database knows only `hash`. */
export interface NewRefreshToken {
  readonly token: string;
  readonly hash: Buffer;
}

export function createRefreshToken(): NewRefreshToken {
  const token = randomBytes(BYTES).toString('base64url');
  return { token, hash: hashRefreshToken(token) };
}

/** SHA-256 of the token's text. A slow hash would add nothing: 256 random bits can't be guessed. */
export function hashRefreshToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
