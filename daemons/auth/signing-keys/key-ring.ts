import type { Database } from '@jobber/db/connection';
import { AppError } from '@jobber/shared/errors';
import type { Logger } from '@jobber/shared/log';
import { type CryptoKey, importJWK, type JWK } from 'jose';
import { obtainSigningKey, type SigningKey } from './obtain-signing-key.ts';

/** A key id nobody knows makes us look into the database, at most this often: forged ids are cheap to make. */
const RELOAD_INTERVAL_MS = 5_000;

/** The keys that sign and verify access tokens. */
export interface KeyRing {
  /** Obtains the signing key; before that nothing can be signed or verified. */
  load(): Promise<void>;
  isLoaded(): boolean;
  /** @throws AppError 503 UNAVAILABLE before `load` */
  signingKey(): SigningKey;
  /** The public key with that id; `undefined` for an unknown id. @throws AppError 503 UNAVAILABLE before `load` */
  verificationKey(kid: string): Promise<CryptoKey | undefined>;
  /** The public keys with which tokens can be verified. @throws AppError 503 UNAVAILABLE before `load` */
  publicJwks(): readonly JWK[];
}

export interface KeyRingOptions {
  readonly database: Database;
  readonly serviceSecret: string;
  /** How long a retired key still verifies. */
  readonly accessTokenTtlSeconds: number;
  readonly log: Logger;
}

export function createKeyRing({
  database,
  serviceSecret,
  accessTokenTtlSeconds,
  log,
}: KeyRingOptions): KeyRing {
  let signing: SigningKey | undefined;
  let publicKeys = new Map<string, { jwk: JWK; key: CryptoKey }>();
  let nextReload = 0;
  let reloading: Promise<void> | undefined;

  async function readPublicKeys(): Promise<void> {
    const { rows } = await database.pool.query<{ kid: string; jwk: JWK }>(
      `select kid, public_jwk as jwk from signing_key
       where retired_at is null or retired_at > now() - make_interval(secs => $1) order by created_at desc`,
      [accessTokenTtlSeconds],
    );
    const entries = rows.map(async ({ kid, jwk }) => {
      const { kty, crv, x } = jwk;
      const whole = { kty, crv, x, kid, alg: 'EdDSA', use: 'sig' } as JWK;
      return [kid, { jwk: whole, key: (await importJWK(whole, 'EdDSA')) as CryptoKey }] as const;
    });
    publicKeys = new Map(await Promise.all(entries));
  }

  async function reload(): Promise<void> {
    if (!reloading && Date.now() < nextReload) return;
    nextReload = Date.now() + RELOAD_INTERVAL_MS;
    reloading ??= readPublicKeys().finally(() => {
      reloading = undefined;
    });
    await reloading;
  }

  function requireSigningKey(): SigningKey {
    if (!signing) throw new AppError('UNAVAILABLE', 'Auth is starting; try again in a few seconds');
    return signing;
  }

  return {
    async load() {
      const obtained = await obtainSigningKey(database, serviceSecret, log);
      await readPublicKeys();
      signing = obtained;
    },
    isLoaded: () => signing !== undefined,
    signingKey: requireSigningKey,
    async verificationKey(kid) {
      requireSigningKey();
      if (!publicKeys.has(kid)) await reload();
      return publicKeys.get(kid)?.key;
    },
    publicJwks() {
      requireSigningKey();
      return [...publicKeys.values()].map(({ jwk }) => jwk);
    },
  };
}
