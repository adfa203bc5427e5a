import { authDatabase } from '@jobber/db/auth';
import { openDatabase } from '@jobber/db/connection';
import { createLogger } from '@jobber/shared/log';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createAuthDatabase, TEST_SERVICE_SECRET } from '../test-auth.ts';
import { createKeyRing } from './key-ring.ts';

const { url } = await createAuthDatabase();
const database = await openDatabase(authDatabase, { url });
afterAll(() => database.close());
const log = createLogger({ daemon: 'auth', level: 'silent' });

beforeEach(async () => {
  await database.pool.query('truncate signing_key');
});

function ring(serviceSecret = TEST_SERVICE_SECRET) {
  return createKeyRing({ database, serviceSecret, accessTokenTtlSeconds: 900, log });
}

async function loadedRing(serviceSecret?: string) {
  const keys = ring(serviceSecret);
  await keys.load();
  return keys;
}

test('keys are made at the first start and kept', async () => {
  const first = await loadedRing();
  const second = await loadedRing();
  expect(second.signingKey().kid).toBe(first.signingKey().kid);
});

test('replicas that start at once agree on one key', async () => {
  const rings = await Promise.all(Array.from({ length: 8 }, () => loadedRing()));
  expect(new Set(rings.map((keys) => keys.signingKey().kid)).size).toBe(1);
  const { rows } = await database.pool.query('select count(*)::int as n from signing_key');
  expect(rows).toEqual([{ n: 1 }]);
});

test('the public keys that are told contain nothing private', async () => {
  const [jwk, ...others] = (await loadedRing()).publicJwks();
  expect(others).toEqual([]);
  expect(Object.keys(jwk!).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
});

test('a dump of the database does not contain the private key', async () => {
  await loadedRing();
  const { rows } = await database.pool.query(
    'select sealed_private_jwk as sealed, public_jwk as public from signing_key',
  );
  expect(rows[0].sealed.toString('latin1')).not.toContain('"d"');
  expect(Object.keys(rows[0].public)).not.toContain('d');
});

test('another SERVICE_SECRET retires the key: the old one verifies on, the new one signs, and replicas learn of it', async () => {
  const before = await loadedRing();
  const after = await loadedRing('another-service-secret-0123456789abcdef');
  const oldKid = before.signingKey().kid;
  const newKid = after.signingKey().kid;
  expect(newKid).not.toBe(oldKid);
  expect(await after.verificationKey(oldKid)).toBeDefined();
  expect(await before.verificationKey(newKid)).toBeDefined();
});

test('a retired key verifies no longer than tokens live', async () => {
  const oldKid = (await loadedRing()).signingKey().kid;
  await database.pool.query("update signing_key set retired_at = now() - interval '901 seconds'");
  const after = await loadedRing();
  expect(await after.verificationKey(oldKid)).toBeUndefined();
  expect(after.publicJwks()).toHaveLength(1);
});

test('before the keys are loaded nothing is signed or verified, and that is said to be temporary', async () => {
  const keys = ring();
  expect(() => keys.signingKey()).toThrow('Auth is starting');
  await expect(keys.verificationKey('any')).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
});
