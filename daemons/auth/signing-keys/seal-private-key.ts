import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { JWK } from 'jose';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts a private key for the database: AES-256-GCM under a key that HKDF-SHA256 derives from SERVICE_SECRET, bound
 * to the key's id. A dump of the database alone signs no token.
 */
export function sealPrivateKey(privateJwk: JWK, kid: string, serviceSecret: string): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', sealingKey(serviceSecret), iv);
  cipher.setAAD(Buffer.from(kid));
  const text = Buffer.concat([cipher.update(JSON.stringify(privateJwk), 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), text]);
}

/** `undefined` when it was sealed with another secret, or changed since. */
export function openPrivateKey(sealed: Buffer, kid: string, serviceSecret: string): JWK | undefined {
  if (sealed.length < IV_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', sealingKey(serviceSecret), sealed.subarray(0, IV_BYTES));
  decipher.setAAD(Buffer.from(kid));
  decipher.setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  try {
    const text = Buffer.concat([decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
    return JSON.parse(text.toString('utf8')) as JWK;
  } catch {
    return undefined;
  }
}

function sealingKey(serviceSecret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', serviceSecret, '', 'jobber auth: sealing of signing keys', 32));
}
