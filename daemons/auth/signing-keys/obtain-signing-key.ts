import type { Database } from '@jobber/db/connection';
import type { Logger } from '@jobber/shared/log';
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose';
import { openPrivateKey, sealPrivateKey } from './seal-private-key.ts';

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
}

const MAX_TRIES = 10;

/**
 * The key that signs: made at the first start and kept in the database. Replicas that start at once agree, because the
 * database holds one key in use at most. A key that this SERVICE_SECRET does not open is retired and replaced: changing
 * the secret changes the key.
 */
export async function obtainSigningKey(
  database: Database,
  serviceSecret: string,
  log: Logger,
): Promise<SigningKey> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const stored = await findKeyInUse(database);
    if (!stored) {
      await insertSigningKey(database, serviceSecret, log);
      continue;
    }
    const { kid, sealed } = stored;
    const privateJwk = openPrivateKey(sealed, kid, serviceSecret);
    if (privateJwk) return { kid, privateKey: (await importJWK(privateJwk, 'EdDSA')) as CryptoKey };
    log.warn({ kid }, 'the signing key was sealed with another SERVICE_SECRET; it is retired');
    await retireSigningKey(database, kid);
  }
  throw new Error('no signing key: Auth replicas with different SERVICE_SECRETs retire each other’s keys');
}

async function findKeyInUse({ pool }: Database): Promise<{ kid: string; sealed: Buffer } | undefined> {
  const { rows } = await pool.query<{ kid: string; sealed: Buffer }>(
    'select kid, sealed_private_jwk as sealed from signing_key where retired_at is null',
  );
  return rows[0];
}

async function insertSigningKey({ pool }: Database, serviceSecret: string, log: Logger): Promise<void> {
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const publicJwk = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(publicJwk);
  const sealed = sealPrivateKey(await exportJWK(pair.privateKey), kid, serviceSecret);
  const inserted = await pool.query(
    `insert into signing_key (kid, public_jwk, sealed_private_jwk) values ($1, $2, $3) on conflict do nothing`,
    [kid, publicJwk, sealed],
  );
  if (inserted.rowCount === 1) log.info({ kid }, 'made a signing key');
}

async function retireSigningKey({ pool }: Database, kid: string): Promise<void> {
  await pool.query('update signing_key set retired_at = now() where kid = $1 and retired_at is null', [kid]);
}
