import { errorResponse } from '@jobber/shared/http';
import { Hono } from 'hono';
import type { KeyRing } from '../signing-keys/key-ring.ts';

/** The public keys with which anybody can check our access tokens (RFC 7517). */
export function jwksRoute(keys: Pick<KeyRing, 'publicJwks'>): Hono {
  const app = new Hono();
  app.get('/auth/.well-known/jwks.json', (c) => {
    try {
      const jwks = keys.publicJwks();
      c.header('cache-control', 'public, max-age=300');
      return c.json({ keys: jwks });
    } catch (error) {
      return errorResponse(c, error);
    }
  });
  return app;
}
