import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** A key pair that access tokens are signed with. At most one is current; the others still verify. */
export const SigningKey = defineEntity({
  name: 'SigningKey',
  tableName: 'signing_key',
  properties: {
    /** The key's RFC 7638 thumbprint. */
    kid: p.text().primary(),
    publicJwk: p.json<Record<string, unknown>>(),
    /** The private JWK, encrypted with a key that is derived from SERVICE_SECRET. */
    sealedPrivateJwk: p.blob(),
    current: p.boolean(),
    createdAt: p.datetime(),
  },
});
export type SigningKey = InferEntity<typeof SigningKey>;
