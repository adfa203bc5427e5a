import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** A key pair that access tokens are signed with. One is in use; retired ones verify until their tokens have expired. */
export const SigningKey = defineEntity({
  name: 'SigningKey',
  tableName: 'signing_key',
  properties: {
    /** The key's RFC 7638 thumbprint. */
    kid: p.text().primary(),
    publicJwk: p.json<Record<string, unknown>>(),
    /** The private JWK, encrypted with a key that is derived from SERVICE_SECRET. */
    sealedPrivateJwk: p.blob(),
    createdAt: p.datetime(),
    retiredAt: p.datetime().nullable(),
  },
});
export type SigningKey = InferEntity<typeof SigningKey>;
