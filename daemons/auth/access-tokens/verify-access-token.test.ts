import { createHmac, createPublicKey, randomUUID } from 'node:crypto';
import {
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { KeyRing } from '../signing-keys/key-ring.ts';
import { createAccessTokenSigner } from './sign-access-token.ts';
import { createAccessTokenVerifier } from './verify-access-token.ts';

const RULES = { issuer: 'jobber', ttlSeconds: 900 };
const KID = 'our-key';
const userId = randomUUID();
const sessionId = randomUUID();

const ours = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
const theirs = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
const keys: KeyRing = {
  load: async () => {},
  isLoaded: () => true,
  signingKey: () => ({ kid: KID, privateKey: ours.privateKey }),
  verificationKey: async (kid) => (kid === KID ? ours.publicKey : undefined),
  publicJwks: () => [],
};
const sign = createAccessTokenSigner(keys, RULES);
const verify = createAccessTokenVerifier(keys, RULES);

function now(): number {
  return Math.floor(Date.now() / 1_000);
}

function soundClaims(): JWTPayload {
  return {
    iss: 'jobber',
    aud: 'jobber',
    sub: userId,
    sid: sessionId,
    iat: now(),
    exp: now() + 900,
    jti: randomUUID(),
  };
}

/** A token that is signed with our own key, but says something else. */
async function forge(
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
  key: CryptoKey = ours.privateKey,
): Promise<string> {
  const payload = { ...soundClaims(), ...claims } as JWTPayload;
  for (const [name, value] of Object.entries(payload)) if (value === undefined) delete payload[name];
  const protectedHeader = { alg: 'EdDSA', kid: KID, typ: 'at+jwt', ...header } as JWTHeaderParameters;
  return await new SignJWT(payload).setProtectedHeader(protectedHeader).sign(key);
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

test('a token that Auth has signed says whose it is and until when', async () => {
  const { token, expiresAt } = await sign({ userId, sessionId });
  expect(await verify(token)).toEqual({ userId, sessionId, expiresAtMs: expiresAt.getTime() });
  expect(await verify(await forge({}))).toMatchObject({ userId, sessionId });
});

test.each(['none', 'None', 'NONE', 'nOnE', '', 'HS256', 'RS256', 'ES256', 'eddsa', 'Ed25519'])(
  'the algorithm "%s" is refused, with and without a signature',
  async (alg) => {
    const text = `${encode({ alg, kid: KID, typ: 'at+jwt' })}.${encode(soundClaims())}`;
    const signature = (await forge({})).split('.')[2];
    expect(await verify(`${text}.`)).toBeUndefined();
    expect(await verify(text)).toBeUndefined();
    expect(await verify(`${text}.${signature}`)).toBeUndefined();
  },
);

test('an HMAC made with our public key is no signature (algorithm confusion)', async () => {
  const spki = await exportSPKI(ours.publicKey);
  const raw = createPublicKey(spki).export({ format: 'der', type: 'spki' });
  for (const alg of ['HS256', 'EdDSA']) {
    const text = `${encode({ alg, kid: KID, typ: 'at+jwt' })}.${encode(soundClaims())}`;
    for (const key of [spki, raw, raw.subarray(-32)]) {
      const mac = createHmac('sha256', key).update(text).digest('base64url');
      expect(await verify(`${text}.${mac}`)).toBeUndefined();
    }
  }
});

test('a header that brings or names a key of its own is refused, even with a good signature', async () => {
  const jwk = await exportJWK(theirs.publicKey);
  const hostile = [
    { jwk },
    { jku: 'https://attacker.example/jwks.json' },
    { x5u: 'https://attacker.example/cert.pem' },
    { x5c: ['MIIB'] },
    { crit: ['b64'], b64: true },
    { b64: true },
    { cty: 'JWT' },
  ];
  for (const header of hostile) {
    expect(await verify(await forge({}, header))).toBeUndefined();
    expect(await verify(await forge({}, header, theirs.privateKey))).toBeUndefined();
  }
});

test.each([
  ['of nobody', 'unknown'],
  ['absent', undefined],
  ['a path', '../../../dev/null'],
  ['SQL', "' or 1=1 --"],
  ['a prototype', '__proto__'],
  ['a constructor', 'constructor'],
  ['NUL', '\0'],
  ['a number', 7],
  ['an object', { $ne: null }],
])('a key id that is %s is refused', async (_, kid) => {
  expect(await verify(await forge({}, { kid }))).toBeUndefined();
});

test('a token signed with another key is refused', async () => {
  expect(await verify(await forge({}, {}, theirs.privateKey))).toBeUndefined();
});

test.each<[string, Record<string, unknown>]>([
  ['an expired one', { iat: now() - 600, exp: now() - 300 }],
  ['one that has just expired', { iat: now() - 600, exp: now() - 1 }],
  ['one that is not valid yet', { nbf: now() + 300 }],
  ['one from the future', { iat: now() + 300, exp: now() + 600 }],
  ['one that is too old, whatever its exp', { iat: now() - 2_000, exp: now() + 300 }],
  ['one without exp', { exp: undefined }],
  ['one without iat', { iat: undefined }],
  ['one with exp in words', { exp: 'tomorrow' }],
  ['one with exp as text', { exp: String(now() + 300) }],
  ['one with exp null', { exp: null }],
  ['one that lives for years', { exp: now() + 315_360_000 }],
  ['one with exp 1e308', { exp: 1e308 }],
  ['one that expires before it begins', { iat: now(), exp: now() - 1 }],
  ['one of another issuer', { iss: 'attacker' }],
  ['one without issuer', { iss: undefined }],
  ['one for another audience', { aud: 'other' }],
  ['one for several audiences', { aud: ['jobber', 'other'] }],
  ['one without audience', { aud: undefined }],
  ['one without subject', { sub: undefined }],
  ['one whose subject is no id', { sub: "'; drop table session; --" }],
  ['one without session', { sid: undefined }],
  ['one whose session is no id', { sid: '%' }],
  ['one without id', { jti: undefined }],
])('%s is refused', async (_, claims) => {
  expect(await verify(await forge(claims))).toBeUndefined();
});

test.each(['JWT', 'rt+jwt', 'jwt', 'AT+JWT', undefined])('the type %s is refused', async (typ) => {
  expect(await verify(await forge({}, { typ }))).toBeUndefined();
});

test('truncated tokens and tokens with a changed character are refused', async () => {
  const { token } = await sign({ userId, sessionId });
  for (let length = 0; length < token.length; length += 7) {
    expect(await verify(token.slice(0, length))).toBeUndefined();
  }
  for (let index = 0; index < token.length; index += 11) {
    const other = token[index] === 'A' ? 'B' : 'A';
    expect(await verify(token.slice(0, index) + other + token.slice(index + 1))).toBeUndefined();
  }
});

test('re-encodings that a lenient decoder reads the same are refused', async () => {
  const { token } = await sign({ userId, sessionId });
  const [header = '', payload = '', signature = ''] = token.split('.');
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  // 64 bytes leave four bits of the last character without meaning.
  const last = alphabet.indexOf(signature.at(-1) ?? '');
  const sameBytes = signature.slice(0, -1) + alphabet[last ^ 1];
  expect(Buffer.from(sameBytes, 'base64url')).toEqual(Buffer.from(signature, 'base64url'));
  const standard = signature.replaceAll('-', '+').replaceAll('_', '/');
  const variants = [
    `${header}.${payload}.${sameBytes}`,
    `${header}.${payload}.${signature}==`,
    `${header}.${payload}.${signature}\n`,
    ` ${token}`,
    `${token} `,
    `${header}.${payload}.${signature}.`,
    `.${token}`,
    `${header}.${payload}.${signature}.${signature}`,
    `${header}.${Buffer.from(payload, 'base64url').toString('base64')}=.${signature}`,
  ];
  if (standard !== signature) variants.push(`${header}.${payload}.${standard}`);
  for (const variant of variants) expect(await verify(variant)).toBeUndefined();
});

test('what is no token at all is refused', async () => {
  const nonsense = [
    '',
    '.',
    '..',
    '...',
    'null',
    '{}',
    'e30.e30.e30',
    `${'a'.repeat(5_000)}.b.c`,
    '\ud800.\ud800.x',
  ];
  for (const text of nonsense) expect(await verify(text)).toBeUndefined();
});

test('a remembered token is refused once it has expired', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const short = { ...RULES, ttlSeconds: 2 };
  const { token, expiresAt } = await createAccessTokenSigner(keys, short)({ userId, sessionId });
  const verifyShort = createAccessTokenVerifier(keys, short);
  expect(await verifyShort(token)).toBeDefined();
  vi.setSystemTime(expiresAt.getTime() - 1);
  expect(await verifyShort(token)).toBeDefined();
  vi.setSystemTime(expiresAt);
  expect(await verifyShort(token)).toBeUndefined();
});
